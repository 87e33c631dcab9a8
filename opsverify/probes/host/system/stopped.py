"""Processes of the application that go on without their service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from posixpath import normpath

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, Question, integer, one_line, quote


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

    def script(self) -> str:
        return rf"""for f in {" ".join(quote(path) for path in self.checkouts)}; do
r=$(readlink -f -- "$f") || ls -d -- "$f" >/dev/null
echo "== checkout $r"
done
cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/^\([0-9]*\) (\(.*\)) \([A-Za-z]\) .*/\1 \3 \2/p' |
while read -r p state name; do
case $state in Z|X) continue;; esac
case $name in node|nodejs|node[0-9]*|node\ *|MainThread|next-server*) ;; *) continue;; esac
d=$(readlink "/proc/$p/cwd" 2>/dev/null)
c=$(tr '\0\n' '\n ' 2>/dev/null < "/proc/$p/cmdline" | head -n 20)
if [ -z "$d" ]; then # perhaps it has just ended
case $(tail -n 1 "/proc/$p/stat" 2>/dev/null | sed 's/.*) \([A-Za-z]\) .*/\1/') in ''|Z|X) continue;; esac
fi
echo "== process $p $name"
echo "cwd $d"
echo "command $(printf '%s\n' "$c" | head -n 2 | tr '\n' ' ')"
printf '%s\n' "$c" | sed 1d | {{
relative=$d
while IFS= read -r f; do
case $f in
*[[:space:]]*|-*|'') f=;;
/*) ;;
*) f=${{relative:+$relative/$f}};;
esac
relative=
[ -z "$f" ] || {{ echo "file $f"; echo "file $(readlink -f -- "$f" 2>/dev/null)"; }}
done; }}
done
echo '== end'
"""

    def parse(self, answer: Answer) -> tuple[NodeProcess, ...]:
        if answer.block("end") is None or answer.truncated:
            raise answer.failure("the Node.js processes", "the list was not read to its end")
        blocks = answer.blocks()
        found = [block.rest for block in blocks if block.name == "checkout"]
        if len(found) != len(self.checkouts) or ("" in found and answer.denied):
            raise answer.failure("the Node.js processes of a checkout", "its path was not resolved")
        checkouts = [(path, real or path) for path, real in zip(self.checkouts, found, strict=True)]
        return tuple(_process(block.rest, block.lines, checkouts) for block in blocks if block.name == "process")


def _process(head: str, lines: list[str], checkouts: list[tuple[str, str]]) -> NodeProcess:
    pid, _, name = head.partition(" ")
    told = [line.partition(" ")[::2] for line in lines]
    one = dict(told)
    if "cwd" not in one or "command" not in one:
        raise ProbeError(f"the Node.js processes could not be determined: {one_line(pid, 20)} was not described")
    folder = re.sub(r" \(deleted\)$", "", one["cwd"]) or None
    paths = [folder or "", *(normpath(rest) for word, rest in told if word == "file" and rest)]
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
