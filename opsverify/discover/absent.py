"""What was looked for and is not there: an excuse where all could be read, else the runbook's usual entry.

An excuse says that something does not exist. What merely could not be read is no such thing: then the usual entry
stands in the file, so that a run is not green before somebody has looked.
"""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import basename
from typing import Any

from opsverify.discover.arguments import PASSWORD, Wanted
from opsverify.discover.draft import Draft, Entry, Reference
from opsverify.discover.seen import HostSeen, Seen
from opsverify.discover.understanding.names import checkouts_of_the_system
from opsverify.probes.host.surroundings.backups import Backups
from opsverify.probes.host.surroundings.checkouts import Checkouts
from opsverify.probes.host.surroundings.containers import Containers
from opsverify.probes.host.surroundings.crontabs import Crontabs
from opsverify.probes.host.surroundings.logs import LogFiles
from opsverify.probes.host.surroundings.nginx import Nginx
from opsverify.probes.host.surroundings.processes import Processes
from opsverify.probes.host.surroundings.units import Units

_RUNNING = (Units, Containers, Processes)


@dataclass(frozen=True)
class Usual:
    """What the runbook has on a host. `key: value` tells it from others of its kind; `seen_by` would have seen it."""

    kind: str
    name: str
    body: dict[str, Any]
    seen_by: tuple[type[Any], ...]
    looked: str
    key: str = ""
    in_checkout: bool = False
    """Whether it is a part of a checkout: where that could be read, nothing outside of it matters."""

    @property
    def value(self) -> str:
        return str(self.body.get(self.key, ""))


USUAL = (
    Usual("services", "backend", {"role": "backend", "unit": "mycats-backend", "port": 3004}, _RUNNING,
          "units, containers and processes", "role"),
    Usual("services", "frontend", {"role": "frontend", "unit": "mycats-frontend", "port": 3000}, _RUNNING,
          "units, containers and processes", "role"),
    Usual("services", "postgresql", {"role": "database", "unit": "postgresql", "port": 5432}, _RUNNING,
          "units, containers and processes", "role"),
    Usual("releases", "release", {"path": "/srv/mycats"}, (Checkouts,), "where programs run, /srv, /opt, /home"),
    Usual("logs", "application", {"holds": "application", "path": "/srv/mycats/backend/backend.log"},
          (LogFiles, *_RUNNING), "the backend's unit, container and folder", "holds"),
    Usual("logs", "access", {"holds": "access", "path": "/var/log/nginx/access.log"}, (LogFiles, Nginx, Containers),
          "nginx's configuration and /var/log", "holds"),
    Usual("logs", "auth", {"holds": "auth", "unit": "ssh"}, (LogFiles, Units), "units and /var/log", "holds"),
    Usual("logs", "database", {"holds": "database", "path": "/var/log/postgresql/postgresql-15-main.log"},
          (LogFiles, *_RUNNING), "PostgreSQL's clusters, units and containers", "holds"),
    Usual("folders", "logs", {"holds": "logs", "path": "/srv/mycats/logs"}, (Checkouts,),
          "the checkouts", "holds", in_checkout=True),
    Usual("folders", "temporary", {"holds": "temporary files", "path": "/srv/mycats/temp"}, (Checkouts,),
          "the checkouts", "holds", in_checkout=True),
    Usual("folders", "weekly-backups", {"holds": "weekly backups", "path": "/srv/mycats/backup"}, (Checkouts,),
          "the checkouts", "holds", in_checkout=True),
    Usual("folders", "npm-cache", {"holds": "npm cache", "path": "/home/mycats/.npm"}, (Checkouts,), "/home", "holds"),
    Usual("folders", "next-cache", {"holds": "next cache", "path": "/srv/mycats/frontend/.next/cache"}, (Checkouts,),
          "the checkouts", "holds", in_checkout=True),
    Usual("jobs", "health-check", {"role": "health-check", "cron": "health-check.sh"}, (Crontabs, Units),
          "crontabs and timers", "role"),
    Usual("jobs", "backup", {"role": "backup", "cron": "backup.sh"}, (Crontabs, Units), "crontabs and timers", "role"),
    Usual("alerts", "alerts", {"script": "/srv/mycats/scripts/send-alert.sh"}, (Checkouts,),
          "the checkouts", in_checkout=True),
    Usual("backups", "backups", {"path": "/backup/mycats"}, (Backups,), "/backup, /var/backups, folders of that name"),
    Usual("documents", "runbook", {"holds": "runbook", "location": "/srv/mycats/docs/operations.md"}, (Checkouts,),
          "the checkouts", "holds", in_checkout=True),
    Usual("documents", "operations-log", {"holds": "operations log", "location": "/srv/mycats/operations.log"},
          (Checkouts,), "the checkouts", "holds", in_checkout=True),
)  # fmt: skip


@dataclass
class Absences:
    """Reasons by (kind, value), for excuses of kinds and of checks."""

    reasons: dict[tuple[str, str], str]

    def reason_for(self, missing: str) -> str:
        """The reason that fits what a check found none of, "log that holds access"; "" for none."""
        return next((why for (_, value), why in self.reasons.items() if value and value in missing), "")


def fill_in(seen: Seen, draft: Draft, wanted: Wanted, day: str) -> Absences:
    """Add to the draft the excuses of kinds, and the usual entries of what could not be looked for."""
    absences = Absences({})
    _without_addresses(seen, draft, day)
    if wanted.nobody_logs_in:
        draft.excuses["hosts"] = f"nobody can log in to the machines of this system (--no-hosts, {day})"
        _documents_elsewhere(draft)
        return absences
    everywhere = ", ".join(host.host.name for host in seen.hosts)
    for usual in USUAL:
        if draft.has(usual.kind, usual.key, usual.value):
            continue
        hidden = [what for host in seen.hosts for what in _hidden(usual, host)]
        hidden += [draft.dropped[usual.kind]] if usual.kind in draft.dropped else []
        if hidden:
            draft.add(placeholder(usual, seen, draft, hidden))
        else:
            absences.reasons[usual.kind, usual.value] = f"none was found on {everywhere} ({day}: {usual.looked})"
    for kind in dict.fromkeys(usual.kind for usual in USUAL):
        if not draft.has(kind):
            draft.excuses[kind] = next(why for (one, _), why in absences.reasons.items() if one == kind)
    return absences


def _hidden(usual: Usual, host: HostSeen) -> list[str]:
    """What could not be seen on a host, and may hold it."""
    system = [] if host.lost else checkouts_of_the_system(host)
    if not usual.in_checkout or not system:
        return list(host.hidden(*usual.seen_by))
    unread = [what for one in system for what in one.unread]
    unread += [what for what in host.checkouts.hidden if any(what.startswith(f"{one.path}/") for one in system)]
    return [f"{what} on {host.host.name}" for what in unread if not basename(what).startswith(".env")]


def placeholder(usual: Usual, seen: Seen, draft: Draft, hidden: list[str]) -> Entry:
    """The usual entry, on the first host of which not all could be seen."""
    hosts = [one for one in seen.hosts if one.lost or any(one.hidden(*usual.seen_by))] or seen.hosts
    body: dict[str, Any] = {"host": hosts[0].host.name, **usual.body}
    if usual.kind in ("releases", "backups"):
        body["database"] = next((entry.name for entry in draft.of("databases")), "primary")
    return Entry(usual.kind, usual.name, body, unread="; ".join(hidden))


def _without_addresses(seen: Seen, draft: Draft, day: str) -> None:
    given = ", ".join(web.url for web in seen.webs)
    not_asked = "no https:// address was given, and no nginx that leads to the system was found"
    backends = [entry for entry in draft.of("services") if entry.is_about("role", "backend") and "port" in entry.body]
    if not draft.has("apis"):
        hosts = {one.host.name: one.host.address or one.host.name for one in seen.hosts}
        url = next((f"http://{hosts[entry.body['host']]}:{entry.body['port']}" for entry in backends), "")
        why = f"{given} shows a page and no API" if given else not_asked
        draft.add(Entry("apis", "main", {"url": url or "http://localhost:3004"}, unread=why))
    frontends = [entry for entry in draft.of("services") if entry.is_about("role", "frontend")]
    lost = [web for web in seen.webs if web.lost]
    for kind, name in (("frontends", "public"), ("proxies", "public"), ("certificates", "public")):
        if draft.has(kind):
            continue
        if seen.webs and not lost and (kind != "frontends" or not frontends):
            what = {"frontends": "shows no page", "proxies": "is the API itself", "certificates": "is plain http"}[kind]
            draft.excuses[kind] = f"{given} {what} ({day}), and no other address is known"
        else:
            host = next((one.host.address for one in seen.hosts if one.host.address), "localhost")
            url = next((web.url for web in seen.webs), f"https://{host}")
            body = {"address": host} if kind == "certificates" else {"url": url}
            draft.add(
                Entry(
                    kind,
                    name,
                    body,
                    unread=lost[0].lost if lost else not_asked if not given else f"{given} shows no page",
                )
            )
    if not draft.has("databases"):
        dsn = f"postgresql://mycats_monitor:${{{PASSWORD}}}@localhost:5432/mycats"
        draft.variables[PASSWORD] = "the password in databases.primary.dsn"
        draft.add(Entry("databases", "primary", {"dsn": Reference(dsn)}, unread="no postgresql:// address was given"))


def _documents_elsewhere(draft: Draft) -> None:
    if not draft.has("documents"):
        url = next((entry.body["url"] for entry in draft.of("apis")), "https://mycats.example.com")
        draft.add(Entry("documents", "runbook", {"holds": "runbook", "location": f"{url}/operations.md"},
                        unread="there is no host to look for it"))  # fmt: skip


__all__ = ["USUAL", "Absences", "Usual", "fill_in", "placeholder"]
