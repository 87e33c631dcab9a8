"""A day and more of believable history in every log: a few refused logins and lost pages, and no error."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rehearsal.layout import Layout
from rehearsal.parts.checkout import ASSETS, Checkout

HISTORY = timedelta(hours=26)
"""More than the day that checks look back at: a log must not begin inside it."""
AUDITED = timedelta(days=98)
REQUESTS = 1500
HEALTH_EVERY = timedelta(minutes=5)
CLIENTS = tuple(f"192.0.2.{n}" for n in range(10, 35))
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
STRANGERS = ("198.51.100.7", "203.0.113.45")
FINGERPRINT = "ED25519 SHA256:4qf0bM1nQxv7cEw2yKj9sTzHk3RdLuPoVaYiXgNmB5E"


class Logs:
    """Writes the history, ending now, before any process appends to it."""

    def __init__(self, layout: Layout, checkout: Checkout) -> None:
        self._layout = layout
        self._checkout = checkout
        # The same day every time: one that differs by run would make faults hard to tell from chance.
        self._random = random.Random(20250815)

    def create(self) -> None:
        """Write every log. The checkout's folders must be there."""
        now = datetime.now().astimezone()
        self._access(now)
        self._application(now)
        self._authentication(now)
        self._health_checks(now)
        self._operations(now)
        old = now - timedelta(days=3)
        for path in (self._layout.checkout / "logs/app.log", self._layout.checkout / "temp/upload-7f3a.tmp"):
            path.write_text(f"{old.isoformat(timespec='seconds')} rotated\n")
            os.utime(path, (old.timestamp(), old.timestamp()))

    def audit(self, folder: Path) -> None:
        """Write what the database's log, one file a day, keeps of the last months: a file a week will do."""
        now = datetime.now(UTC)
        for days in range(7, AUDITED.days + 1, 7):
            when = now - timedelta(days=days)
            path = folder / f"postgresql-{when:%Y-%m-%d}.log"
            path.write_text(
                f"{when:%Y-%m-%d %H:%M:%S}.204 UTC [812] LOG:  connection received: host=127.0.0.1 port=40112\n"
                f"{when:%Y-%m-%d %H:%M:%S}.211 UTC [812] mycats@mycats LOG:  connection authorized: user=mycats"
                " database=mycats application_name=mycats-api\n"
            )
            path.chmod(0o640)
            os.utime(path, (when.timestamp(), when.timestamp()))

    def _moments(self, now: datetime, count: int) -> list[datetime]:
        ago = [HISTORY.total_seconds(), *(self._random.uniform(1, HISTORY.total_seconds()) for _ in range(count - 1))]
        return sorted(now - timedelta(seconds=seconds) for seconds in ago)

    def _access(self, now: datetime) -> None:
        pages = [
            "/",
            *(f"/_next/static/{name}" for name in ASSETS),
            "/api/v1/pedigrees",
            "/api/v1/cats",
            "/api/v1/pedigrees?page=2",
        ]
        lines = []
        for number, when in enumerate(self._moments(now, REQUESTS)):
            client, path, status, size = self._random.choice(CLIENTS), self._random.choice(pages), 200, 0
            size = self._random.randrange(400, 9000)
            if number % 90 == 0:
                path, status, size = "/favicon.ico", 404, 153
            elif number % 150 == 1:
                path, status, size = "/api/v1/cats", 401, 184
            elif number % 20 == 2:
                status, size = 304, 0
            lines.append(
                f'{client} - - [{when:%d/%b/%Y:%H:%M:%S %z}] "GET {path} HTTP/1.1" {status} {size} '
                f'"https://mycats.example.com/" "{AGENT}" "-"\n'
            )
        self._layout.access_log.write_text("".join(lines))

    def _application(self, now: datetime) -> None:
        with self._layout.app_log.open("w", encoding="utf-8") as log:
            for number, when in enumerate(self._moments(now, 600)):
                if number % 100 == 0:
                    shown = f"{when:%m/%d/%Y, %I:%M:%S %p}"
                    log.write(
                        f"\x1b[32m[Nest] 2211  - \x1b[39m{shown} \x1b[32m    LOG\x1b[39m "
                        "\x1b[33m[CleanupService] \x1b[39m\x1b[32mRemoved expired sessions\x1b[39m\n"
                    )
                    continue
                refused = number % 80 == 1
                entry = {
                    "level": "warn" if refused else "info",
                    "time": int(when.timestamp() * 1000),
                    "pid": 2211,
                    "host": "mycats-app",
                    "context": "GlobalExceptionFilter" if refused else "HTTP",
                    "message": "Unauthorized" if refused else "request completed",
                    "requestId": f"{self._random.getrandbits(64):016x}",
                    "method": "GET",
                    "path": "/api/v1/cats" if refused else "/api/v1/pedigrees",
                    "statusCode": 401 if refused else 200,
                }
                if not refused:
                    entry["duration"] = self._random.randrange(4, 60)
                log.write(json.dumps(entry, separators=(",", ":")) + "\n")

    def _authentication(self, now: datetime) -> None:
        lines: list[str] = []
        for number, when in enumerate(self._moments(now, 60)):
            pid, port = 3000 + number, 40000 + number
            stranger = f"{self._random.choice(STRANGERS)} port {port}"
            program, message = (
                "CRON",
                [
                    "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
                    "pam_unix(cron:session): session closed for user root",
                ],
            )
            if number % 12 == 5:
                program, message = (
                    "sshd",
                    [
                        f"Invalid user admin from {stranger}",
                        f"Failed password for invalid user admin from {stranger} ssh2",
                        f"Connection closed by invalid user admin {stranger} [preauth]",
                    ],
                )
            elif number % 3 == 0:
                program, message = (
                    "sshd",
                    [
                        f"Accepted publickey for deploy from 192.0.2.10 port {port} ssh2: {FINGERPRINT}",
                        "pam_unix(sshd:session): session opened for user deploy(uid=1001) by (uid=0)",
                    ],
                )
            stamp = f"{when:%b} {when.day:2d} {when:%H:%M:%S} mycats-app"
            lines.extend(f"{stamp} {program}[{pid}]: {text}\n" for text in message)
        self._layout.auth_log.write_text("".join(lines))

    def _health_checks(self, now: datetime) -> None:
        def lines() -> Iterator[str]:
            when = now - HISTORY
            while when < now:
                yield f"{shell_date(when)}: API Health OK\n{shell_date(when)}: Database Connection OK\n"
                when += HEALTH_EVERY

        self._layout.health_check_log.write_text("".join(lines()))

    def _operations(self, now: datetime) -> None:
        deployed = self._checkout.deployed_at
        entries = [
            (deployed - timedelta(days=12), "Deployed version 1.4.1"),
            (now - timedelta(days=10), "Database maintenance completed"),
            (now - timedelta(days=6), "Security patch applied"),
            (now - timedelta(days=3), "Database maintenance completed"),
            (deployed + timedelta(minutes=15), f"Deployed version {self._checkout.version}"),
        ]
        path: Path = self._layout.operations_log
        path.write_text("".join(f"{shell_date(when)}: {what}\n" for when, what in sorted(entries)))


def shell_date(when: datetime) -> str:
    """Return a time as the shell's `date` prints it in the C locale: `Wed Nov 25 00:47:04 UTC 2026`."""
    return f"{when:%a %b} {when.day:2d} {when:%H:%M:%S %Z %Y}"
