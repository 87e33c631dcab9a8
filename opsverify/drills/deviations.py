"""How far what was restored agrees with what should be there. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from opsverify.probes.postgres.contents import ContentsFacts

MIGRATIONS = "_prisma_migrations"


@dataclass(frozen=True)
class Deviation:
    """A table whose rows are off."""

    table: str
    rows: int
    expected: int

    @property
    def growth_percent(self) -> float:
        """By how much the rows that are there would have to grow to be those expected; below 0 where they are more."""
        return 100 * (self.expected - self.rows) / self.rows if self.rows else inf

    def __str__(self) -> str:
        return f"{self.table} {self.rows:,} of {self.expected:,}"


@dataclass(frozen=True)
class Comparison:
    """What differs. Names of tables are schema.table, sorted."""

    missing: tuple[str, ...]
    """Tables that should be there and are not."""
    others: tuple[str, ...]
    """Tables that are there and should not be."""
    emptied: tuple[Deviation, ...]
    """Tables without any row that should have more than `emptied_above`."""
    deviating: tuple[Deviation, ...]
    """Tables whose rows differ by more than is tolerated, the emptied ones left out."""
    migrated: bool
    """Whether migrations were applied since, which explain a different schema."""

    common: int
    """Tables on both sides."""

    @property
    def strange(self) -> bool:
        """Whether it is another database altogether: it has tables, and none of them is expected."""
        return bool(self.others) and not self.common


def compare(
    contents: ContentsFacts,
    expected: ContentsFacts,
    tolerance_percent: float,
    tolerance_rows: float,
    emptied_above: float = 0,
) -> Comparison:
    """Compare a restored database with what should be there.

    A table may differ by `tolerance_percent` of the rows expected or by `tolerance_rows`, whichever is more; one
    that should have more than `emptied_above` rows may never be empty.
    """
    rows, wanted = contents.rows, expected.rows
    common = sorted(rows.keys() & wanted.keys())
    pairs = [Deviation(table, rows[table], wanted[table]) for table in common]
    return Comparison(
        missing=tuple(sorted(wanted.keys() - rows.keys())),
        others=tuple(sorted(rows.keys() - wanted.keys())),
        emptied=tuple(pair for pair in pairs if pair.expected > emptied_above and not pair.rows),
        deviating=tuple(
            pair
            for pair in pairs
            if pair.rows
            and abs(pair.rows - pair.expected) > max(tolerance_rows, tolerance_percent * pair.expected / 100)
        ),
        migrated=any(named(pair.table, (MIGRATIONS,)) and 0 < pair.rows < pair.expected for pair in pairs),
        common=len(common),
    )


def named(table: str, names: Iterable[str]) -> bool:
    """Whether a schema.table is one of these, which may leave out the schema."""
    return any(name in (table, table.rpartition(".")[2]) for name in names)
