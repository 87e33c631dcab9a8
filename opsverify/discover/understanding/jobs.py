"""Periodic jobs: timers and lines of crontabs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename

from opsverify.discover.draft import Draft, Entry
from opsverify.discover.seen import HostSeen, Seen
from opsverify.discover.understanding.names import named

_ROLES = (
    ("health-check", re.compile(r"health|monitor|uptime|heartbeat", re.IGNORECASE)),
    ("backup", re.compile(r"back-?_?up|pg_?dump|dump", re.IGNORECASE)),
    ("maintenance", re.compile(r"maintenance|clean|weekly|vacuum|rotate", re.IGNORECASE)),
)
_OF_A_PACKAGE = re.compile(r"/(usr/)?(s?bin|lib|libexec|share)/")
_OF_THE_SYSTEM = re.compile(r"/etc/cron\.(hourly|daily|weekly|monthly)(/|$)|^/$|^/dev/")


def understand(seen: Seen, draft: Draft) -> None:
    """The jobs of every host that are the administrator's own."""
    for host in seen.hosts:
        for base, body, found in (*_timers(host), *_lines(host)):
            role = _role(base)
            if not role and _OF_A_PACKAGE.match(base):
                continue
            if not role:
                draft.notices.append(f"{host.host.name}: {found} is listed nowhere: it is no health check, backup or "
                                     "maintenance by its name; if it is one, add it under jobs")  # fmt: skip
                continue
            whole = {"host": host.host.name, "role": role, **body}
            entry = Entry("jobs", named(role, host, seen), whole, found)
            if "log" not in body and role == "health-check":
                entry.missing.append("log: the file that it writes, where it writes one")
            draft.add(entry)


def _role(text: str) -> str:
    return next((role for role, words in _ROLES if words.search(text)), "")


def _timers(host: HostSeen) -> Iterator[tuple[str, dict[str, str], str]]:
    for timer in host.units.units:
        if not timer.name.endswith(".timer") or not timer.own or not (timer.active or timer.enabled):
            continue
        service = host.units.named(timer.starts)
        words = " ".join(basename(word) for word in (service.words if service else ()))
        state = "" if timer.active else ", NOT ACTIVE NOW"
        body = {"timer": timer.name}
        if service and service.logs:
            body["log"] = service.logs[0]
        yield f"{timer.name} {words}", body, f"timer {timer.name}{state}" + (f", runs {words}" if words else "")


def _lines(host: HostSeen) -> Iterator[tuple[str, dict[str, str], str]]:
    for job in host.crontabs.jobs:
        files = [file for file in job.files if not _OF_THE_SYSTEM.search(file)]
        if not files or not job.when:
            continue
        script = files[-1] if files[-1].endswith((".sh", ".py", ".js", ".ts")) else files[0]
        body = {"cron": basename(script)}
        if job.logs:
            body["log"] = job.logs[0]
        yield script, body, f"{job.crontab}: {job.when} {script}"


__all__ = ["understand"]
