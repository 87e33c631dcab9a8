"""What a file says otherwise than what there is.

Only what was found counts: a guess contradicts nobody. What the file has and nobody found is told where it could be
seen that it is gone, and is never taken out: whether it should be there is what a run judges.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from opsverify.config.environment import KINDS, Environment, excuse_of
from opsverify.discover.draft import Draft, Entry
from opsverify.discover.seen import Seen

_PLACES: Mapping[str, tuple[str, ...]] = {
    "apis": ("url",),
    "frontends": ("url",),
    "proxies": ("url",),
    "databases": ("dsn",),
    "hosts": ("connection",),
    "services": ("host", "unit", "pid_file", "container"),
    "releases": ("host", "path"),
    "logs": ("host", "path", "unit", "container"),
    "folders": ("host", "path"),
    "jobs": ("host", "timer", "cron"),
    "alerts": ("host", "script"),
    "certificates": ("address", "port"),
    "backups": ("host", "path"),
    "documents": ("host", "location"),
    "names": ("domain",),
}
"""By which keys two entries are about the same thing."""
_OWN_WORDS = re.compile(r"^(none|no .+) was found on .*\(\d{4}-\d\d-\d\d")
"""How this command excuses: what it said itself, it may take back."""
_SORTS = ("role", "holds", "protocol")
"""By which key one that has moved is known, where there is one of its sort on each side."""


@dataclass(frozen=True)
class Change:
    """`new`: an entry that the file lacks. `changed`: `key` has another value. `excused`: the file says, in this
    command's words, that there is none, and there is one. `gone`: the file's entry was not seen. `note`: no difference.
    """

    what: Literal["new", "changed", "excused", "gone", "note"]
    kind: str
    name: str
    key: str = ""
    old: Any = None
    new: Any = None
    entry: Entry | None = None
    why: str = ""

    @property
    def sentence(self) -> str:
        """For a person."""
        place = f"{self.kind}.{self.name}"
        if self.what == "new":
            return f"+ {place}: not in the file; {self.why}"
        if self.what == "changed":
            return f"~ {place}.{self.key}: the file says {shown(self.old)}, found {shown(self.new)}; {self.why}"
        if self.what == "excused":
            return f"~ not_applicable.{self.key}: the file says {self.old!r}, but that is no longer so"
        if self.what == "note":
            return f"  {place}: {self.why}"
        return f"- {place}: in the file, but not found: {self.why}"


def shown(value: Any) -> str:
    """A value for a person."""
    if value is None or value == ():
        return "nothing"
    return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, list | tuple) else str(value)


def differences(environment: Environment, draft: Draft, seen: Seen) -> list[Change]:
    """What is different, in the order of the kinds. `environment`: the file, its groups expanded."""
    changes: list[Change] = []
    names = _hosts(environment, draft)
    for kind in KINDS:
        targets = dict(getattr(environment, kind))
        drafted = [(entry, _renamed(entry, names)) for entry in draft.of(kind) if not entry.unread]
        pairs, left = _paired(kind, targets, drafted)
        for entry, body, name in pairs:
            changes += _changed(kind, name, entry, body, targets[name])
        for entry, body in left:
            if targets and set(_PLACES[kind]) & set(entry.guesses):
                continue  # somebody knows better
            if why := _excused_by_a_person(environment, kind, body):
                changes.append(Change("note", kind, entry.name, why=f"found, and excused in the file: {why}"))
                continue
            renamed = Entry(kind, entry.name, body, entry.found, entry.guesses, entry.missing)
            changes.append(Change("new", kind, entry.name, entry=renamed, why=f"found: {entry.found or 'there'}"))
        matched = {name for _, _, name in pairs}
        changes += [
            Change("gone", kind, name, why=why)
            for name, target in targets.items()
            if name not in matched and (why := _gone(target, names, seen))
        ]
    stale = [
        Change("excused", "not_applicable", key, key, old=why)
        for key, why in environment.not_applicable.items()
        if own_words(why)
        and key not in draft.excuses
        and (any(not entry.unread for entry in draft.of(key)) if key in KINDS else not seen.lost)
    ]
    return [*changes, *stale]


def _excused_by_a_person(environment: Environment, kind: str, body: Mapping[str, Any]) -> str:
    """Why a person said that a kind does not apply; "" where nobody did, or this command."""
    host = environment.hosts.get(str(body.get("host")))
    on_host = host.not_applicable.get(kind) or host.not_applicable.get("hosts") if host else ""
    why = on_host or excuse_of(environment.not_applicable, kind)
    return "" if not why or own_words(why) else why


def own_words(why: str) -> bool:
    """Whether a reason is this command's own."""
    return _OWN_WORDS.search(why) is not None


def about_the_same(environment: Environment, draft: Draft) -> bool:
    """Whether a file names any host, address or database that is in the draft."""
    return any(
        identity(kind, entry.body) in {identity(kind, _said(target)) for target in getattr(environment, kind).values()}
        for kind in ("hosts", "apis", "frontends", "proxies", "databases")
        for entry in draft.of(kind)
    )


def _hosts(environment: Environment, draft: Draft) -> dict[str, str]:
    """The file's name of each host of the draft, by where it connects to."""
    by_place = {_place(host.connection): name for name, host in environment.hosts.items()}
    found = {entry.name: by_place.get(_place(entry.body["connection"]), "") for entry in draft.of("hosts")}
    return {name: known or name for name, known in found.items()}


def _place(connection: str) -> tuple[str, str, int | None]:
    """Where a connection leads; as whom, and with or without sudo, is the operator's business."""
    parts = urlsplit(connection)
    return parts.scheme, (parts.hostname or parts.netloc or parts.path).lower(), parts.port


def _renamed(entry: Entry, names: Mapping[str, str]) -> dict[str, Any]:
    host = entry.body.get("host")
    return {**entry.body, "host": names.get(host, host)} if host else dict(entry.body)


Drafted = tuple[Entry, dict[str, Any]]


def _paired(
    kind: str, targets: Mapping[str, Any], drafted: list[Drafted]
) -> tuple[list[tuple[Entry, dict[str, Any], str]], list[Drafted]]:
    """Entries with the name of the target that they are, and the entries that are none."""
    pairs: list[tuple[Entry, dict[str, Any], str]] = []
    left: list[Drafted] = []
    free = dict(targets)
    for entry, body in drafted:
        mine = identity(kind, body)
        same = [n for n, target in free.items() if identity(kind, _said(target)) == mine]
        # A process manager's unit may be several services.
        name = next((n for n in same if _sort(_said(free[n])) == _sort(body)), same[0] if same else None)
        if name is None:
            left.append((entry, body))
        else:
            pairs.append((entry, body, name))
            free.pop(name)
    moved = []
    for entry, body in left:
        sort = _sort(body)
        alike = [n for n, target in free.items() if _sort(_said(target)) == sort]
        rivals = [other for _, other in left if _sort(other) == sort]
        if (kind == "alerts" or any(key in body for key in _SORTS)) and len(alike) == 1 and len(rivals) == 1:
            pairs.append((entry, body, alike[0]))
            free.pop(alike[0])
            moved.append(entry)
    return pairs, [(entry, body) for entry, body in left if entry not in moved]


def identity(kind: str, said: Mapping[str, Any]) -> tuple[Any, ...]:
    """What an entry is about."""
    if kind == "databases":
        return _location(said.get("dsn"))
    if kind == "hosts":
        return _place(str(said.get("connection") or "local://"))
    values = {"port": 443, **said} if kind == "certificates" else said
    if kind in ("apis", "frontends", "proxies"):
        parts = urlsplit(str(said.get("url")))
        return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return tuple(values.get(key) for key in _PLACES[kind])


def _location(dsn: Any) -> tuple[Any, ...]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    text = dsn.get_secret_value() if hasattr(dsn, "get_secret_value") else str(dsn)
    try:
        parts = conninfo_to_dict(text)
    except ProgrammingError:
        return (text,)
    return str(parts.get("host") or ""), str(parts.get("port") or 5432), str(parts.get("dbname") or "")


def _said(target: Any) -> dict[str, Any]:
    return {key: getattr(target, key) for key in type(target).model_fields}


def _sort(said: Mapping[str, Any]) -> tuple[Any, ...]:
    return (said.get("host"), *(said.get(key) for key in _SORTS))


def _changed(kind: str, name: str, entry: Entry, body: Mapping[str, Any], target: Any) -> Iterator[Change]:
    said = _said(target)
    for key, value in body.items():
        if key in entry.guesses or key in ("dsn", "database", "connection", "ssh_config", "ca_file"):
            continue
        old = said.get(key)
        if key in ("url", "http_url") and old is not None and str(old).rstrip("/") == str(value).rstrip("/"):
            continue
        if key == "cron" and old and (str(old) in str(value) or str(value) in str(old)):
            continue
        if key == "role" and value == "other":  # what nobody knows contradicts nobody
            continue
        if _plain(old) != _plain(value):
            # What a service is found by has one key at a time.
            yield Change("changed", kind, name, key, _plain(old), value, entry, entry.found)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value) if hasattr(value, "parts") else value


def _gone(target: Any, names: Mapping[str, str], seen: Seen) -> str:
    """Why a target of the file is surely not there any more; "" where nobody can say so."""
    host = next((h for h in seen.hosts if names.get(h.host.name) == getattr(target, "host", None)), None)
    if host is None or host.lost:
        return ""
    unit = getattr(target, "unit", None) or getattr(target, "timer", None)
    if unit and host.units.systemd:
        full = unit if "." in unit else f"{unit}.service"
        if host.units.named(full) is None:
            return f"{host.host.name} has no unit {full}"
    container = getattr(target, "container", None)
    known = {one.name for one in host.containers.containers}
    if container and host.containers.engines and not host.containers.hidden and container not in known:
        return f"{host.host.name} has no container {container}"
    return ""


__all__ = ["Change", "differences", "identity", "own_words", "shown"]
