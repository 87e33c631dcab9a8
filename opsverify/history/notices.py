"""The rows of the table `notices`: what each channel was told. Used by `store` inside its transactions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from opsverify.history.records import KEPT_DAYS, Notice
from opsverify.history.tables import notices
from opsverify.reporting.results import Result

_MOMENTS = ("since", "seen_at", "runs", "told_at", "told_severity", "told_verdict", "ended_at", "ending")
_UNTOLD = ("measurements", "seconds", "change", "maintenance")
"""Of a result, what no message says: it is not kept."""


def query(environment: str) -> Any:
    """Asks for the rows of `read`."""
    columns = (notices.c.channel, notices.c.result, *(notices.c[name] for name in _MOMENTS))
    return select(*columns).where(notices.c.environment == environment).order_by(notices.c.id)


def read(row: Any) -> Notice:
    """The notice of one row. A field that a later version added is left out: it is but text for people."""
    channel, text, *moments = row
    known = {name: value for name, value in json.loads(text).items() if name in Result.__dataclass_fields__}
    return Notice(channel, Result(**known), **dict(zip(_MOMENTS, moments, strict=True)))


def replace(
    connection: Connection, environment: str, kept: Iterable[Notice], gone: Iterable[Notice], now: datetime
) -> None:
    """Put `kept` in the place of what was known of the same, and remove `gone` and what nobody has seen for long."""
    rows = [_row(environment, notice) for notice in kept]
    replaced = [{"of": one["channel"], "about": one["nodeid"]} for one in rows]
    replaced += [{"of": one.channel, "about": one.result.nodeid} for one in gone]
    subject = (notices.c.channel == bindparam("of"), notices.c.nodeid == bindparam("about"))
    if replaced:
        connection.execute(delete(notices).where(notices.c.environment == environment, *subject), replaced)
    if rows:
        connection.execute(insert(notices), rows)
    # Targets that are no more are never well again.
    old = now - timedelta(days=KEPT_DAYS)
    connection.execute(delete(notices).where(notices.c.environment == environment, notices.c.seen_at < old))


def _row(environment: str, notice: Notice) -> dict[str, Any]:
    text = {name: value for name, value in asdict(notice.result).items() if value and name not in _UNTOLD}
    return {
        "environment": environment,
        "channel": notice.channel,
        "nodeid": notice.result.nodeid,
        "result": json.dumps(text, ensure_ascii=False),
        **{name: getattr(notice, name) for name in _MOMENTS},
    }
