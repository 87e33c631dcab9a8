"""Whether a host has what commands name: paths, units, scripts of package.json; and what patterns find in logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from opsverify.probes.host.question import MIB, Answer, Block, Question, integer
from opsverify.probes.host.shell_file import ShellFile

HERE, ABSENT, HIDDEN = "here", "absent", "hidden"
"""What is known of a path or a unit; hidden: not whether it is there."""
SAMPLES = (
    '192.0.2.1 - - [01/Jan/2026:00:00:00 +0000] "GET /cats HTTP/1.1" 200 4042 "-" "curl/8.5.0"',
    '192.0.2.1 - - [01/Jan/2026:00:00:00 +0000] "POST /cats HTTP/1.1" 429 0 "-" "curl/8.5.0"',
    '{"level":"error","time":1795528538967,"pid":11,"msg":"x"}',
    '{"level":50,"time":1795528538967,"pid":11,"msg":"x"}',
)
"""Lines that a pattern is tried on beside those of the log: it may hold no error today."""


@dataclass(frozen=True)
class Search:
    """`grep -OPTIONS PATTERN LOG`, as a document has it."""

    log: str
    options: str
    pattern: str


@dataclass(frozen=True)
class Package:
    """A package.json: its scripts by name. `path`: of the file."""

    path: str
    name: str
    scripts: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class Checkout:
    """A checkout; `closed`: what of it may not be read."""

    path: str
    state: str
    locks: tuple[str, ...] = ()
    """Names of lock files at its root."""
    packages: tuple[Package, ...] = ()
    closed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a search found. For each line of the log's end, the samples first: its status or level, "" without one."""

    log: str
    kinds: tuple[str, ...]
    matched: frozenset[int]
    """Indices into `kinds`."""

    def finds(self, sample: int) -> bool:
        """Whether it found that one of SAMPLES."""
        return sample in self.matched

    @property
    def own(self) -> list[tuple[str, bool]]:
        """(status or level, whether it was found) of each line that is the log's own."""
        return [(kind, index in self.matched) for index, kind in enumerate(self.kinds) if index >= len(SAMPLES)]


@dataclass(frozen=True)
class NamedThingsFacts:
    """What was found on one host. What was asked for and is not in it is not known."""

    paths: Mapping[str, str] = field(default_factory=dict, hash=False)
    """By absolute path."""
    elsewhere: Mapping[str, str] = field(default_factory=dict, hash=False)
    """By relative path where in a checkout a file of that name is."""
    checkouts: tuple[Checkout, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict, hash=False)
    systemd: bool = True
    searches: Mapping[Search, Found] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class NamedThings(Question):
    """What the commands of a document would meet on a host; none of them is run. Answer: NamedThingsFacts.

    Privileges: to enter the folders that commands name, and to read package.json and the logs.
    Source: systemctl(1), LoadState; grep(1).
    """

    checkouts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Relative ones are looked for in every checkout."""
    units: tuple[str, ...] = ()
    searches: tuple[Search, ...] = ()

    shell = ShellFile(__package__, "named_things.sh")
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 15.0
    max_bytes: ClassVar[int] = 2 * MIB
    lines: ClassVar[int] = 2000
    """Of each log, from its end."""

    @property
    def title(self) -> str:
        return "what the runbook's commands name"

    @property
    def _logs(self) -> list[str]:
        return list(dict.fromkeys(search.log for search in self.searches))

    @property
    def arguments(self) -> tuple[str, ...]:
        logs = self._logs
        greps = [f"{logs.index(s.log) + 1}\tn{s.options}\t{s.pattern}" for s in self.searches]
        lists = (self.checkouts, self.paths, self.units, logs, greps)
        return (*("\n".join(texts) for texts in lists), str(self.lines), "\n".join(SAMPLES))

    def parse(self, answer: Answer) -> NamedThingsFacts:
        blocks = answer.blocks()
        if answer.truncated or answer.status != 0 or not blocks or blocks[-1].name != "end":
            raise answer.failure(self.title, "the answer is cut off")
        paths: dict[str, str] = {}
        elsewhere: dict[str, str] = {}
        for block in blocks:
            if block.name == "path":
                state, _, path = block.rest.partition(" ")
                paths[path] = state
            elif block.name == "relative":
                for line in block.lines:
                    state, _, path = line.removeprefix(" ").partition(" ")
                    if state == "elsewhere":
                        elsewhere.setdefault(block.rest, path)
                    else:
                        paths[path] = state
        units = {name: state for state, name in (b.rest.split(" ", 1) for b in blocks if b.name == "unit")}
        return NamedThingsFacts(
            paths,
            elsewhere,
            tuple(_checkouts(blocks)),
            {name: _unit_state(state) for name, state in units.items()},
            systemd=not any(block.name == "nosystemd" for block in blocks),
            searches=self._found(blocks),
        )

    def _found(self, blocks: list[Block]) -> dict[Search, Found]:
        found: dict[Search, Found] = {}
        log = ""
        kinds: tuple[str, ...] = ()
        for block in blocks:
            if block.name == "log":
                state, _, log = block.rest.partition(" ")
                kinds = tuple(line.strip().strip('"').removeprefix("-") for line in block.lines)
                if state != HERE:
                    kinds = ()
            elif block.name == "grep":
                status, _, options, pattern = block.rest.split("\t", 3)
                if status in ("0", "1") and kinds:  # 2: no pattern; 124: too slow
                    lines = frozenset(integer(line.strip(), "a line of a log") - 1 for line in block.lines)
                    found[Search(log, options.removeprefix("n"), pattern)] = Found(log, kinds, lines)
        return found


def _unit_state(state: str) -> str:
    """systemd.unit(5), LoadState: a unit that is masked or broken is there."""
    return ABSENT if state == "not-found" else HIDDEN if state == HIDDEN else HERE


def _checkouts(blocks: list[Block]) -> list[Checkout]:
    checkouts: list[Checkout] = []
    for block in blocks:
        if block.name == "checkout":
            state, _, path = block.rest.partition(" ")
            checkouts.append(Checkout(path, state))
        elif block.name in ("lock", "package", "closed") and checkouts:
            last = checkouts[-1]
            locks, packages, closed = last.locks, last.packages, last.closed
            if block.name == "lock":
                locks = (*locks, block.rest.rpartition("/")[2])
            elif block.name == "closed":
                closed = (*closed, block.rest)
            else:
                package = _package(block)
                packages, closed = ((*packages, package), closed) if package else (packages, (*closed, block.rest))
            checkouts[-1] = Checkout(last.path, last.state, locks, packages, closed)
    return checkouts


def _package(block: Block) -> Package | None:
    try:
        content = json.loads("\n".join(line.removeprefix(" ") for line in block.lines))
        scripts = content.get("scripts") or {}
        names = {str(name): str(command) for name, command in scripts.items()}
        return Package(block.rest, str(content.get("name") or ""), names)
    except (ValueError, AttributeError, RecursionError):
        return None


__all__ = [
    "ABSENT",
    "HERE",
    "HIDDEN",
    "SAMPLES",
    "Checkout",
    "Found",
    "NamedThings",
    "NamedThingsFacts",
    "Package",
    "Search",
]
