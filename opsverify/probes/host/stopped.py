"""Processes of the application that go on without their service."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, Question, integer, one_line


@dataclass(frozen=True)
class NodeProcess:
    """A Node.js process. `command` is its first two arguments at most: more might hold a secret."""

    pid: int
    name: str
    command: str
    folder: str | None
    """Its working directory; None where this account may not see it."""

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command or self.name})"

    def within(self, folder: str) -> bool:
        """Whether it is known to work in `folder` or below it."""
        return self.folder is not None and f"{self.folder}/".startswith(f"{folder.rstrip('/')}/")


@dataclass(frozen=True)
class NodeProcesses(Question):
    """Every Node.js process of the host, whoever started it: what a killed npm or pnpm leaves behind is one.

    A next-server renames itself; every other one is told by its executable's name.
    Privileges: none for processes and commands; working directories need the same user or root. Source: proc(5).
    """

    def script(self) -> str:
        return r"""cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/^\([0-9]*\) (\(.*\)) \([A-Za-z]\) .*/\1 \3 \2/p' |
while read -r p state name; do
case $state in Z|X) continue;; esac
case $name in node|nodejs|node[0-9]*|node\ *|MainThread|next-server*) ;; *) continue;; esac
echo "== process $p $name"
echo "cwd $(readlink "/proc/$p/cwd" 2>/dev/null)"
echo "command $(tr '\0\n' '\n ' < "/proc/$p/cmdline" 2>/dev/null | head -n 2 | tr '\n' ' ')"
done
echo '== end'
"""

    def parse(self, answer: Answer) -> tuple[NodeProcess, ...]:
        if answer.block("end") is None or answer.truncated:
            raise answer.failure("the Node.js processes", "the list was not read to its end")
        return tuple(_process(block.rest, block.lines) for block in answer.blocks() if block.name == "process")


def _process(head: str, lines: list[str]) -> NodeProcess:
    pid, _, name = head.partition(" ")
    told = dict(line.partition(" ")[::2] for line in lines)
    if "cwd" not in told or "command" not in told:
        raise ProbeError(f"the Node.js processes could not be determined: {one_line(pid, 20)} was not described")
    return NodeProcess(
        pid=integer(pid, "a process id"),
        name=one_line(name, 40),
        command=one_line(told["command"], 120),
        folder=re.sub(r" \(deleted\)$", "", told["cwd"]) or None,
    )
