"""All that a restored dump must hold: tables with their rows, constraints, indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from opsverify.probes.postgres.question import Server, Steps
from opsverify.probes.postgres.row_counts import RowCounts
from opsverify.probes.postgres.table_inventory import TableInventory


@dataclass(frozen=True)
class Contents:
    """Answer: `ContentsFacts`. Needs what `RowCounts` needs, on every table."""

    weight: ClassVar[int] = 9

    def steps(self, server: Server) -> Steps:
        """The inventory, then every table's rows."""
        inventory = yield from TableInventory().steps(server)
        counted = yield from RowCounts(inventory.tables).steps(server)
        tables = tuple((name, rows) for name, rows in counted.counts if rows is not None)
        return ContentsFacts(tables, inventory.constraints, inventory.indexes)


@dataclass(frozen=True)
class ContentsFacts:
    """All that is in a database, counted: (schema.table, exact rows) sorted, constraints without NOT NULL, indexes."""

    tables: tuple[tuple[str, int], ...]
    constraints: int
    indexes: int

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table."""
        return dict(self.tables)
