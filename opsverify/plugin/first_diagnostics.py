"""What a failure brings along: the runbook's own first steps, taken on the host that it is about.

Once per run and host, after everything was judged, and only where something failed: a run in which all is well asks
nothing more. The texts go into the HTML report and into files beside it that only their owner may read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pytest

from opsverify.config.environment import Environment, Host, Log, Service
from opsverify.errors import ProbeError
from opsverify.evidence.collect import collect
from opsverify.evidence.query import Query
from opsverify.probes.host.first_steps import Excerpt
from opsverify.probes.host.probe import probe
from opsverify.reporting.alike import FEW
from opsverify.reporting.ranges import short
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.text import Redactor, printable, printable_block
from opsverify.reporting.words import Words

SECONDS = 15.0
_CALLS_FOR_IT = (Outcome.ALERT, Outcome.UNDETERMINED, Outcome.BLOCKED)
_ROLES = {"apis": "backend", "frontends": "frontend", "databases": "database", "proxies": "proxy"}
MOST_IN_REPORT = 500_000
"""Bytes of the HTML report; of hundreds of hosts in trouble the first ones fit, and the files have all of them."""


def hosts_in_trouble(environment: Environment, results: Iterable[Result]) -> dict[str, list[Result]]:
    """The hosts that failed checks are about, with those checks; what runs nowhere that is known is left out.

    An address is about the hosts that run the service behind it. A host that could not be reached is not asked again.
    """
    failures: dict[str, list[Result]] = {}
    lost = set()
    labels = {host.label: name for name, host in environment.hosts.items()}
    for result in results:
        if result.environment != environment.name or result.outcome not in _CALLS_FOR_IT:
            continue
        lost.add(labels.get(result.cause.partition(":")[0]))
        for name in hosts_of(environment, result):
            failures.setdefault(name, []).append(result)
    return {name: results for name, results in failures.items() if name in environment.hosts and name not in lost}


def hosts_of(environment: Environment, result: Result) -> set[str]:
    """The hosts that a result is about, as far as the environment tells."""
    if result.target_kind == "hosts":
        return {result.target}
    targets: Mapping[str, Any] = getattr(environment, result.target_kind, {})
    target = targets.get(result.target)
    host = getattr(target, "host", None)
    if isinstance(host, str):
        return {host}
    slot = getattr(target, "slot", None)
    role = _ROLES.get(result.target_kind)
    return {s.host for s in environment.services.values() if s.role == role and slot in (None, s.slot)}


def first_steps(environment: Environment, host: Host) -> list[Excerpt]:
    """What to look at on a host, in the order in which a person would."""
    services: list[Service] = [s for s in environment.services.values() if s.host == host.name]
    logs: list[Log] = [log for log in environment.logs.values() if log.host == host.name]
    names = list(dict.fromkeys(s.unit for s in services if s.unit))
    steps = [Excerpt("state", unit) for unit in names]
    steps += [Excerpt("process", s.pid_file) for s in services if s.pid_file]
    steps += [
        Excerpt(kind, s.container, s.engine) for s in services if s.container for kind in ("container", "printed")
    ]
    steps += [Excerpt("log", log.path) for log in logs if log.path and log.holds == "application"]
    steps += [Excerpt("journal", unit) for unit in names]
    return [*dict.fromkeys(steps), Excerpt("processes"), Excerpt("space")]


@dataclass(frozen=True)
class Taken:
    """The first steps on one host: (title, text), already redacted and printable."""

    environment: str
    host: str
    excerpts: tuple[tuple[str, str], ...]

    def text(self) -> str:
        """All of it as one text."""
        return "\n\n".join(f"=== {title} ===\n{text}" for title, text in self.excerpts) + "\n"

    def html(self) -> str:
        """All of it, folded."""
        return "".join(
            f"<details><summary>{escape(title)}</summary><pre>{escape(printable_block(text))}</pre></details>"
            for title, text in self.excerpts
        )


def take(
    environments: Iterable[Environment], results: Sequence[Result], redactor: Redactor, seconds: float = SECONDS
) -> list[Taken]:
    """Take the first steps on every host in trouble, all at the same time. Never raises for what a host does."""
    steps = {
        (environment.name, name): (environment.hosts[name], first_steps(environment, environment.hosts[name]))
        for environment in environments
        for name in hosts_in_trouble(environment, results)
    }
    queries = [Query(probe, host, step, seconds) for host, asked in steps.values() for step in asked]
    evidence = collect(queries, run_seconds=seconds)

    def told(host: Host, step: Excerpt) -> str:
        try:
            text = str(evidence.of(Query(probe, host, step)))
        except ProbeError as error:
            text = f"({error})"
        # Cleaned before anything cuts it, and again when escape sequences are gone that may have split a secret.
        return redactor.clean(printable_block(redactor.clean(text), limit=Excerpt.max_bytes))

    return [
        Taken(name, host.name, tuple((printable(redactor.clean(step.title)), told(host, step)) for step in asked))
        for (name, _), (host, asked) in steps.items()
    ]


@dataclass(eq=False)  # pluggy keeps plugins in sets
class Diagnostics:
    """Plugin object of the process that reports. `results` gives them when the run has ended."""

    environments: Sequence[Environment]
    redactor: Redactor
    folder: Path
    language: str
    results: Callable[[], Sequence[Result]]
    add: Callable[[str, str], None] | None
    """Adds what was looked at on a host, as HTML, to the report."""
    written: list[Path] = field(default_factory=list)

    @pytest.hookimpl(tryfirst=True)  # before the reports are written
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        for old in self.folder.glob("diagnostics-*.txt"):
            old.unlink(missing_ok=True)  # of an earlier run: it would be taken for this one's
        if exitstatus == pytest.ExitCode.INTERRUPTED:
            return  # somebody wants to be gone
        left = MOST_IN_REPORT
        left_out = []
        for taken in take(self.environments, self.results(), self.redactor):
            of = f"{taken.environment}-" if len(self.environments) > 1 else ""
            kept = self._write(self.folder / f"diagnostics-{of}{taken.host}.txt", taken.text())
            body = taken.html()
            left -= len(body.encode())
            if left < 0 and kept:
                left_out.append(f"{of}{taken.host}")
            elif self.add is not None:
                self.add(f"{of}{taken.host}", body)
        if left_out and self.add is not None:
            self.add(
                short(left_out), f"<p>{escape(self._words.filled('left out diagnostics', names=short(left_out)))}</p>"
            )
        log = _junit(session.config)
        if log is not None:
            for path in self.written:
                log.add_global_property("diagnostics", str(path))

    @property
    def _words(self) -> Words:
        return Words(self.language)

    def _write(self, path: Path, text: str) -> bool:
        """Whether the file has it now; where it has not, the report does."""
        try:
            # A new file: whatever stands there, a symbolic link perhaps, is not written through.
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            return False
        self.written.append(path)
        return True

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        title = self._words("first diagnostics")
        if len(self.written) > FEW:
            names = short(path.stem.removeprefix("diagnostics-") for path in self.written)
            terminalreporter.write_line(f"{title}: {self.folder / 'diagnostics-*.txt'} ({names})")
            return
        for path in self.written:
            terminalreporter.write_line(f"{title}: {path}")


def _junit(config: pytest.Config) -> Any:
    from _pytest.junitxml import xml_key

    return config.stash.get(xml_key, None)
