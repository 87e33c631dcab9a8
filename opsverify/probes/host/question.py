"""What may be asked of a host: a script in a file of its own, and how its answer is read.

A newcomer adds a question by writing `uptime.sh`, here one line (`cat /proc/uptime`), and beside it `uptime.py`::

    @dataclass(frozen=True)
    class Uptime(Question):
        \"\"\"How long the host is up. Privileges: none. Source: proc(5), /proc/uptime.\"\"\"

        shell = ShellFile(__package__, "uptime.sh")

        def parse(self, answer: Answer) -> float:
            return decimal(answer.text.split()[0], "uptime")

The script is POSIX sh and must only read. What it needs to know are its `arguments`: $1, $2 …, which it names in its
first line. `parse` is a pure function that raises ProbeError, with a sentence, for whatever it cannot determine: an
unparsable number never becomes 0.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, final

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.shell_file import ShellFile

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

_DENIED = re.compile(r"permission denied|operation not permitted|access denied", re.IGNORECASE)
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Answer:
    """What one section of the script said. `repr` shows none of it: it may hold a secret."""

    output: bytes = field(repr=False)
    status: int = 0
    errors: str = field(default="", repr=False)
    truncated: bool = False
    sent: float = 0.0
    """When the script was sent, and `received` when this answer arrived: seconds since the epoch, by our clock."""
    received: float = 0.0
    mark: str = "=="
    """What our own lines begin with. In a run it is a word that nothing on the host knows beforehand."""

    @property
    def text(self) -> str:
        """The output, with U+FFFD for what is not UTF-8."""
        return self.output.decode("utf-8", "replace")

    @property
    def lines(self) -> list[str]:
        """The output's lines, split at line feeds only (file names may hold other separators)."""
        return self.text.removesuffix("\n").split("\n") if self.output else []

    @property
    def denied(self) -> bool:
        """Whether the host said that something is not permitted."""
        return bool(_DENIED.search(self.errors))

    def blocks(self) -> list[Block]:
        """The output cut at its `== name rest` lines; what stands before the first is dropped."""
        blocks: list[Block] = []
        for line in self.lines:
            mark, _, head = line.partition(" ")
            if mark == self.mark:
                name, _, rest = head.partition(" ")
                blocks.append(Block(name, rest, []))
            elif blocks:
                blocks[-1].lines.append(line)
        return blocks

    def block(self, name: str) -> Block | None:
        """The first block of this name."""
        return next((block for block in self.blocks() if block.name == name), None)

    def complaint(self, otherwise: str) -> str:
        """The first line of what the host said on stderr, made harmless; `otherwise` where it said nothing."""
        return one_line(self.errors) or otherwise

    def failure(self, what: str, otherwise: str = "the host gave no reason") -> ProbeError:
        """The error to raise when `what` could not be determined: MissingPrivilege where that is why."""
        kind = MissingPrivilege if self.denied else ProbeError
        return kind(f"{what} could not be determined: {self.complaint(otherwise)}")


@dataclass(frozen=True)
class Block:
    """A part of an answer, under a `== name rest` line."""

    name: str
    rest: str
    lines: list[str] = field(repr=False)


class Question(ABC):
    """One kind of fact. Subclasses are frozen dataclasses: hashable, picklable, and equal when they ask the same."""

    seconds: ClassVar[float] = 8.0
    """How long its section may take on the host."""
    slow: ClassVar[bool] = False
    """Whether it waits, on purpose or for a disk: it then runs beside the other sections, not in their queue."""
    first: ClassVar[bool] = False
    """Whether it is about time, and so must be answered before anything else."""
    max_bytes: ClassVar[int] = 256 * KIB
    """How much its section may say; the rest is cut off and `Answer.truncated` is set."""
    shell: ClassVar[ShellFile]
    """POSIX sh that answers the question by reading only."""
    helpers: ClassVar[tuple[ShellFile, ...]] = ()
    """Files of functions that its script needs, from `shell`."""

    @property
    def arguments(self) -> Sequence[str | int | float]:
        """What its script is given as $1, $2 …; an awk program of its own is one of them."""
        return ()

    @final
    def script(self) -> str:
        """The whole script, but for the helpers."""
        return self.shell.called_with(self.arguments)

    @abstractmethod
    def parse(self, answer: Answer) -> Any:
        """The fact; raises ProbeError with one sentence for what cannot be determined."""

    @property
    def title(self) -> str:
        """How messages name it."""
        return type(self).__name__


def one_line(text: str, at_most: int = 200) -> str:
    """The first line that says something, without terminal control sequences, cut to `at_most` characters."""
    for line in text.splitlines():
        clean = _UNPRINTABLE.sub("", _ANSI.sub("", line)).strip()
        if clean:
            return clean if len(clean) <= at_most else clean[: at_most - 1] + "…"
    return ""


_INTEGER = re.compile(r"[0-9]{1,20}")
_DECIMAL = re.compile(r"[0-9]{1,20}(?:[.][0-9]{1,20})?")


def integer(text: str, what: str) -> int:
    """`text` as a non-negative whole number; raises ProbeError that names `what`."""
    # int() takes "1_000", " 7 " and digits of other scripts: none of them is what a kernel prints.
    if not _INTEGER.fullmatch(text):
        raise ProbeError(f"{what} could not be determined: {one_line(text, 40)!r} is not a whole number")
    return int(text)


def decimal(text: str, what: str) -> float:
    """`text` as a non-negative decimal number; raises ProbeError that names `what`."""
    if not _DECIMAL.fullmatch(text):
        raise ProbeError(f"{what} could not be determined: {one_line(text, 40)!r} is not a number")
    return float(text)


def moment(seconds: float, what: str) -> datetime:
    """Seconds since the epoch as an aware UTC time; raises ProbeError that names `what` for an impossible one."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ProbeError(f"{what} could not be determined: {seconds:g} is no point in time") from None


def percent(part: float, whole: float, what: str) -> float:
    """`part` of `whole` in percent; raises ProbeError where there is no whole."""
    if whole <= 0:
        raise ProbeError(f"{what} could not be determined: the host counts {whole:g} in total")
    return 100.0 * part / whole
