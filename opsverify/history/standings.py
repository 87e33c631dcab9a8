"""How each check of an environment ended before, one row per check: read whole, and lengthened by each run.

Told from `results`, which after a year are millions: to find the last ones of each check there takes seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, text, update

from opsverify.history.changes import Check, Spell, Spells, check_of, lengthened, remembered
from opsverify.history.records import RunRecord
from opsverify.history.tables import standings
from opsverify.reporting.results import Outcome

_CHECK = (standings.c.runbook, standings.c.function, standings.c.target, standings.c.target_kind)

Standings = dict[str, dict[Check, Spells]]
"""By name of environment."""


def query(environments: Sequence[str]) -> Any:
    """Asks for what `read` takes."""
    columns = (standings.c.environment, standings.c.spells, *_CHECK)
    return select(*columns).where(standings.c.environment.in_(environments))


def read(rows: Iterable[Any]) -> Standings:
    """The rows of `query`, by environment and check."""
    found: Standings = {}
    for environment, spells, *check in rows:
        found.setdefault(environment, {})[Check(*check)] = _spells(spells)
    return found


def lock(connection: Connection) -> None:
    """Let nobody else write until this transaction ends: what one run adds, the next must see. SQLite always does."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE standings IN SHARE ROW EXCLUSIVE MODE"))


def lengthen(connection: Connection, record: RunRecord) -> None:
    """Add what one run found."""
    columns = (standings.c.id, standings.c.spells, *_CHECK)
    rows = connection.execute(select(*columns).where(standings.c.environment == record.environment))
    known = {Check(*check): (key, spells) for key, spells, *check in rows}
    longer: dict[Check, Spells] = {}
    for result in record.results:
        if remembered(result, partial=record.partial):
            check = check_of(result)
            before = longer[check] if check in longer else _spells(known[check][1]) if check in known else ()
            longer[check] = lengthened(before, result.verdict, record.started_at.astimezone(UTC))
    old = [
        {"key": known[check][0], "told": _text(spells), "now": record.started_at}
        for check, spells in longer.items()
        if check in known
    ]
    new = [
        {
            **check._asdict(),
            "environment": record.environment,
            "seen_at": record.started_at,
            "spells": _text(spells),
        }
        for check, spells in longer.items()
        if check not in known
    ]
    if old:
        changed = update(standings).values(spells=bindparam("told"), seen_at=bindparam("now"))
        connection.execute(changed.where(standings.c.id == bindparam("key")), old)
    if new:
        connection.execute(insert(standings), new)


def forget(connection: Connection, oldest: datetime) -> None:
    """Remove checks that no run has asked since then."""
    connection.execute(delete(standings).where(standings.c.seen_at < oldest))


def _text(spells: Spells) -> str:
    return json.dumps([(spell.verdict, spell.runs, spell.began.isoformat()) for spell in spells])


def _spells(text: str) -> Spells:
    """Raises ValueError where somebody else has written what is none of ours."""
    return tuple(
        Spell(Outcome(verdict).value, int(runs), datetime.fromisoformat(began).astimezone(UTC))
        for verdict, runs, began in json.loads(text)
    )
