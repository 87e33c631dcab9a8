"""How much of its range every sequence and every integer key has used up: past the end, nothing can be inserted."""

# ruff: noqa: S608 - what is pasted in is our own text or a quoted identifier; values are parameters

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.postgres.question import USER_SCHEMAS, Server, Statement, Steps, quoted, shown
from opsverify.probes.postgres.tables import require_select
from opsverify.probes.tcp.transport import printable

Place = tuple[int, int]
"""A column: its table's oid and its number."""
INTEGERS = {2: "smallint", 4: "integer", 8: "bigint"}

SEQUENCES = (
    "SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name, s.seqstart AS start, s.seqmin AS low,"
    " s.seqmax AS high, s.seqincrement > 0 AS ascending, s.seqcycle AS cycles, p.may, p.gone,"
    # Not the view pg_sequences: its NULL means "never used" and "not for you".
    " CASE WHEN p.may AND NOT p.gone THEN pg_sequence_last_value(c.oid) END AS last"
    " FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " CROSS JOIN LATERAL (SELECT has_sequence_privilege(c.oid, 'SELECT, USAGE') AS may,"
    " c.relpersistence = 'u' AND pg_is_in_recovery() AS gone) AS p"
    f" WHERE {USER_SCHEMAS} ORDER BY 2, 3"
)

COLUMNS = (
    "SELECT c.oid::bigint AS oid, a.attnum AS number, n.nspname AS schema, c.relname AS table, a.attname AS column,"
    " b.typlen AS bytes, has_schema_privilege(n.oid, 'USAGE') AS schema_ok,"
    " has_column_privilege(c.oid, a.attnum, 'SELECT') AS column_ok,"
    " c.relpersistence = 'u' AND pg_is_in_recovery() AS gone,"
    " EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey))"
    " AS primary, coalesce((SELECT i.objid FROM pg_depend i WHERE i.classid = 'pg_class'::regclass"
    " AND i.refclassid = 'pg_class'::regclass AND i.refobjid = c.oid AND i.refobjsubid = a.attnum AND i.deptype = 'i'"
    " AND EXISTS (SELECT FROM pg_sequence WHERE seqrelid = i.objid)),"
    " (SELECT min(f.refobjid) FROM pg_attrdef d JOIN pg_depend f ON f.classid = 'pg_attrdef'::regclass"
    " AND f.objid = d.oid AND f.refclassid = 'pg_class'::regclass"
    " JOIN pg_sequence q ON q.seqrelid = f.refobjid WHERE d.adrelid = c.oid AND d.adnum = a.attnum"
    # Whatever is computed from a sequence is not what the sequence says.
    " AND pg_get_expr(d.adbin, d.adrelid) ~ '^\\(*nextval\\(''[^()]*''::regclass\\)\\)*(::[a-z]+)?$'))::bigint"
    " AS filled_by"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
    " AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid"
    " JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END"
    f" WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {USER_SCHEMAS}"
    " AND b.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) ORDER BY 3, 4, 2"
)

REFERENCES = (
    "SELECT k.conrelid::bigint AS oid, r.number, k.confrelid::bigint AS to_oid, r.to_number FROM pg_constraint k"
    " CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS r(number, to_number)"
    " WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.oid"
)


@dataclass(frozen=True)
class KeyUsage:
    """Answer: `KeyUsageFacts`. Needs SELECT on each sequence, and on primary keys that no sequence fills.

    A key is a column of a primary key, what refers to one, and what a sequence fills. Where a sequence fills it, the
    sequence says how far it is; so it does for the columns that refer to it, whose type may be smaller. Only keys that
    none fills are read, their largest and smallest value.
    Source: manual, "CREATE SEQUENCE", "pg_sequence", "pg_sequences" (its view of last_value), "Numeric Types".
    """

    def steps(self, server: Server) -> Steps:
        """Sequences, columns, references; then the values of what no sequence fills."""
        sequences = {row["oid"]: row for row in (yield Statement(SEQUENCES)).rows}
        columns = {(row["oid"], row["number"]): row for row in (yield Statement(COLUMNS)).rows}
        references: dict[Place, Place] = {}
        for row in (yield Statement(REFERENCES)).rows:
            references.setdefault((row["oid"], row["number"]), (row["to_oid"], row["to_number"]))
        origins = {place: _origin(place, references, columns) for place in columns}
        keys = [origin for place, origin in origins.items() if columns[place]["primary"] or origin != place]
        read = [place for place in dict.fromkeys(keys) if columns[place]["filled_by"] is None]
        hidden = _hidden(sequences, [columns[place] for place in read], server.role)
        readable = [p for p in read if columns[p]["schema_ok"] and columns[p]["column_ok"] and not columns[p]["gone"]]
        extremes: dict[Place, dict[str, Any]] = {}
        if readable:
            sql = " UNION ALL ".join(_extremes(number, columns[place]) for number, place in enumerate(readable))
            extremes = {readable[row["which"]]: row for row in (yield Statement(sql)).rows}
        used = _used(sequences, columns, origins, extremes)
        return KeyUsageFacts(tuple(sorted(used, key=lambda key: (-key.used_percent, key.name))), hidden)


def _origin(place: Place, references: dict[Place, Place], columns: dict[Place, Any]) -> Place:
    """The column that a column's values come from: itself where a sequence fills it or it refers to none."""
    seen = {place}
    while columns[place]["filled_by"] is None and references.get(place) in columns.keys() - seen:
        place = references[place]
        seen.add(place)
    return place


def _extremes(number: int, column: dict[str, Any]) -> str:
    name = quoted(column["column"])
    table = f"{quoted(column['schema'])}.{quoted(column['table'])}"
    return f"SELECT {number} AS which, max({name}) AS largest, min({name}) AS smallest FROM {table}"


def _hidden(sequences: dict[int, Any], read: list[dict[str, Any]], role: str) -> ProbeError | None:
    """Why not everything is known: what to grant, else what a standby has not."""
    reasons = []
    forbidden = [_name(sequence) for sequence in sequences.values() if not sequence["may"]]
    if forbidden:
        names = ", ".join(forbidden)
        reasons.append(
            printable(f"role {role} may not read sequences (GRANT SELECT ON SEQUENCE {names} TO {shown(role)})", 600)
        )
    try:
        require_select([{**one, "name": one["table"]} for one in read], role, right="column_ok")
    except MissingPrivilege as error:
        reasons.append(str(error))
    if reasons:
        return MissingPrivilege(f"how far all keys are used up: {'; '.join(reasons)}")
    gone = [_name(one) for one in sequences.values() if one["gone"]] + [_column(one) for one in read if one["gone"]]
    if gone:
        return ProbeError(printable(f"a standby has nothing of what is unlogged: {', '.join(gone)}", 600))
    return None


def _used(
    sequences: dict[int, Any], columns: dict[Place, Any], origins: dict[Place, Place], extremes: dict[Place, Any]
) -> list[Key]:
    keys = []
    filling = set()
    for place, column in columns.items():
        origin = origins[place]
        source = columns[origin]
        high = 2 ** (8 * column["bytes"] - 1) - 1
        what = f"{_column(column)} ({INTEGERS[column['bytes']]}"
        if origin != place:
            if column["bytes"] >= source["bytes"]:
                continue  # what it refers to is full first
            what += f", which refers to {_column(source)}"
        sequence = sequences.get(source["filled_by"])
        if sequence is not None:
            filling.add(source["filled_by"])
            # One that begins again is no end, but for a key: its old values are still taken.
            if _known(sequence) and not (sequence["cycles"] and not column["primary"] and _fits(sequence, high)):
                keys.append(Key(f"{what}, from {_name(sequence)})", _share(sequence, -high - 1, high), True))
        elif origin in extremes:
            largest, smallest = (extremes[origin][key] or 0 for key in ("largest", "smallest"))
            keys.append(
                Key(f"{what}, given by the application)", 100 * max(largest / high, smallest / (-high - 1)), False)
            )
    for oid, sequence in sequences.items():
        if oid not in filling and _known(sequence) and not sequence["cycles"]:
            keys.append(Key(_name(sequence), _share(sequence, sequence["low"], sequence["high"]), True))
    return keys


def _known(sequence: dict[str, Any]) -> bool:
    return bool(sequence["may"] and not sequence["gone"])


def _fits(sequence: dict[str, Any], high: int) -> bool:
    return bool(sequence["low"] >= -high - 1 and sequence["high"] <= high)


def _share(sequence: dict[str, Any], low: int, high: int) -> float:
    """How much of the sequence's range and of its column's has gone by, in percent."""
    low, high = max(low, sequence["low"]), min(high, sequence["high"])
    used = sequence["last"] is not None
    at = sequence["last"] if used else sequence["start"]
    gone = at - low if sequence["ascending"] else high - at
    return float(100 * (gone + used) / max(1, high - low + 1))


def _name(sequence: dict[str, Any]) -> str:
    return f"{shown(sequence['schema'])}.{shown(sequence['name'])}"


def _column(column: dict[str, Any]) -> str:
    return f"{shown(column['schema'])}.{shown(column['table'])}.{shown(column['column'])}"


@dataclass(frozen=True)
class Key:
    """A sequence or an integer key, and how much of its range is used up.

    `counted`: a sequence says so; else it is the largest value there is, which may be a code and not a count.
    """

    name: str
    used_percent: float
    counted: bool


@dataclass(frozen=True)
class KeyUsageFacts:
    """The fullest first. `hidden`: why not all are known, or None."""

    keys: tuple[Key, ...]
    hidden: ProbeError | None


__all__ = ["Key", "KeyUsage", "KeyUsageFacts"]
