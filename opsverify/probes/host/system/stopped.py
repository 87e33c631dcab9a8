"""Processes of the application that go on without their service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from posixpath import normpath

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, Question, integer, one_line
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class NodeProcess:
    """A Node.js process. `command` is its first two arguments at most: more might hold a secret."""

    pid: int
    name: str
    command: str
    folder: str | None
    """Its working directory; None where this account may not see it."""
    places: tuple[str, ...] = ()
    """Where in the asked-for checkouts it works and what it runs there, with and without symbolic links."""

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command or self.name})"

    @property
    def where(self) -> str:
        """What ties it to its place, for people: "works in /srv/mycats/backend"."""
        if self.places and self.folder not in self.places:
            return f"runs {self.places[0]}"
        return f"works in {self.folder}"

    def within(self, folder: str) -> bool:
        """Whether it is known to work in `folder` or below it, or to run a file there."""
        return any(below(place, folder) for place in (self.folder, *self.places) if place)


def below(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies in it."""
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


@dataclass(frozen=True)
class NodeProcesses(Question):
    """Every Node.js process of the host, whoever started it: what a killed npm or pnpm leaves behind is one.

    A next-server renames itself; every other one is told by its executable's name. Which of `checkouts`, whole paths,
    it works in or runs a file of is told whether they are named by symbolic links or not.
    Privileges: none for processes and commands; working directories need the same user or root. Source: proc(5).
    """

    checkouts: tuple[str, ...] = ()

    shell = ShellFile(__package__, "stopped.sh")

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.checkouts

    def parse(self, answer: Answer) -> tuple[NodeProcess, ...]:
        if answer.block("end") is None or answer.truncated:
            raise answer.failure("the Node.js processes", "the list was not read to its end")
        blocks = answer.blocks()
        checkout_blocks = [block.rest for block in blocks if block.name == "checkout"]
        if len(checkout_blocks) != len(self.checkouts) or ("" in checkout_blocks and answer.denied):
            raise answer.failure("the Node.js processes of a checkout", "its path was not resolved")
        checkouts = [(path, real or path) for path, real in zip(self.checkouts, checkout_blocks, strict=True)]
        return tuple(_process(block.rest, block.lines, checkouts) for block in blocks if block.name == "process")


def _process(head: str, lines: list[str], checkouts: list[tuple[str, str]]) -> NodeProcess:
    pid, _, name = head.partition(" ")
    fields = [line.partition(" ")[::2] for line in lines]
    one = dict(fields)
    if "cwd" not in one or "command" not in one:
        raise ProbeError(f"the Node.js processes could not be determined: {one_line(pid, 20)} was not described")
    folder = re.sub(r" \(deleted\)$", "", one["cwd"]) or None
    paths = [folder or "", *(normpath(rest) for word, rest in fields if word == "file" and rest)]
    places = []
    for path in paths:
        for asked, real in checkouts:
            # Only what lies in a checkout is kept: another argument is nobody's business.
            if below(path, asked) or below(path, real):
                places.append(path)
            if below(path, real):
                places.append(asked + path[len(real) :])
    return NodeProcess(
        pid=integer(pid, "a process id"),
        name=one_line(name, 40),
        command=one_line(one["command"], 120),
        folder=folder,
        places=tuple(dict.fromkeys(places)),
    )
