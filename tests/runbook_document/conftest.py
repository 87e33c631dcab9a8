"""A server of My Cats as it is laid out for production, told as a host that is asked would tell it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from opsverify.probes.host.release.named_things import (
    ABSENT,
    HERE,
    SAMPLES,
    Checkout,
    Found,
    NamedThings,
    NamedThingsFacts,
    Package,
)
from opsverify.runbook_document.commands import Commands, wanted
from opsverify.runbook_document.system import System

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "rehearsal/template"
CHECKOUT = "/srv/mycats"
APPLICATION, ACCESS = f"{CHECKOUT}/backend/backend.log", "/var/log/nginx/access.log"
LINES = {
    APPLICATION: [
        '{"level":"info","time":1795528538967,"pid":7,"message":"Nest application successfully started"}',
        '{"level":"error","time":1795528538968,"pid":7,"message":"Slow request"}',
        '{"level":"error","time":1795528538969,"pid":7,"message":"x","code":"INTERNAL_SERVER_ERROR"}',
    ],
    ACCESS: [
        '198.51.100.7 - - [30/Nov/2026:10:00:00 +0900] "GET /cats/405 HTTP/1.1" 200 5021 "-" "x" "-"',
        '198.51.100.7 - - [30/Nov/2026:10:00:01 +0900] "GET /cats HTTP/1.1" 200 77 "-" "x" "-"',
        '198.51.100.7 - - [30/Nov/2026:10:00:02 +0900] "GET /cats HTTP/1.1" 429 0 "-" "x" "-"',
        '198.51.100.7 - - [30/Nov/2026:10:00:03 +0900] "GET /cats HTTP/1.1" 502 9 "-" "x" "-"',
    ],
}
THERE = {
    "/", "/backup/mycats", "/etc/nginx/nginx.conf", "/srv", "/var/log/mycats", "/var/log/nginx", *LINES,
    *(f"{CHECKOUT}/{path}".rstrip("/") for path in (
        "", "backend", "backend/.env", "backend/dist", "backend/dist/main.js", "backend/prisma", "backup", "docs",
        "frontend", "frontend/.next", "frontend/.next/BUILD_ID", "frontend/.next/cache", "logs", "operations.log",
        "package.json", "scripts", "scripts/backup.sh", "scripts/health-check.sh", "scripts/send-alert.sh", "temp",
    )),
}  # fmt: skip
UNITS = {"backend": "mycats-backend", "frontend": "mycats-frontend", "database": "postgresql", "proxy": "nginx"}


def packages() -> tuple[Package, ...]:
    """The package.json files of the rehearsal's checkout, which are shaped like the real ones."""
    files = [TEMPLATE / "package.json", TEMPLATE / "backend/package.json", TEMPLATE / "frontend/package.json"]
    found = []
    for file in files:
        content = json.loads(file.read_text())
        found.append(Package(f"{CHECKOUT}/{file.relative_to(TEMPLATE)}", content["name"], content["scripts"]))
    return tuple(found)


def answer(question: NamedThings) -> NamedThingsFacts:
    """What the server says."""
    places = [path if path.startswith("/") else f"{CHECKOUT}/{path}" for path in question.paths]
    elsewhere = {
        path: next(p for p in sorted(THERE) if p.endswith(f"/{Path(path).name}"))
        for path in question.paths
        if f"{CHECKOUT}/{path}" not in THERE and any(p.endswith(f"/{Path(path).name}") for p in THERE)
    }
    searches = {}
    for search in question.searches:
        lines = [*SAMPLES, *LINES[search.log]]
        found = subprocess.run(
            ["grep", f"-n{search.options}", "-e", search.pattern],
            input="\n".join(lines),
            text=True,
            capture_output=True,
        )
        matched = frozenset(int(line.partition(":")[0]) - 1 for line in found.stdout.splitlines())
        searches[search] = Found(search.log, tuple(map(kind_of, lines)), matched)
    checkout = Checkout(CHECKOUT, HERE, ("pnpm-lock.yaml",), packages())
    units = {unit: HERE if unit.removesuffix(".service") in UNITS.values() else ABSENT for unit in question.units}
    return NamedThingsFacts(
        {place: HERE if place in THERE else ABSENT for place in places}, elsewhere, (checkout,), units, True, searches
    )


def kind_of(line: str) -> str:
    """The level of a JSON line, the status of a request."""
    return str(json.loads(line)["level"]) if line.startswith("{") else line.split('"')[2].split()[0]


def production(commands: Commands) -> System:
    """The system that the server is, as far as these commands ask about it."""
    facts = answer(wanted(commands, [CHECKOUT], list(LINES)))
    logs = {APPLICATION: "application", ACCESS: "access"}
    scripts = (f"{CHECKOUT}/scripts/send-alert.sh",)
    return System({"app1": facts}, {}, 15, None, True, UNITS, logs, scripts)


@pytest.fixture(name="production")
def _production():
    """`production(commands)`: the system that these are held against."""
    return production
