"""The script that sends alerts: whether it is there, and, in a drill, whether an alert arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.ask import probe
from opsverify.probes.host.question import Answer, Question, integer, one_line, quote

if TYPE_CHECKING:
    from opsverify.environment import Host
    from opsverify.evidence import Deadline


@dataclass(frozen=True)
class ScriptFacts:
    """A script as a file. `mode` is octal, as chmod takes it: "755"."""

    path: str
    exists: bool
    mode: str = ""
    owner: str = ""
    size_bytes: int = 0
    interpreter: str = ""
    """The program that its first line names; "" where it names none."""
    interpreter_found: bool | None = None

    @property
    def executable(self) -> bool:
        """Whether anybody at all may execute it: the account that does is often not ours."""
        return bool(self.mode) and bool(int(self.mode, 8) & 0o111)


@dataclass(frozen=True)
class ScriptFile(Question):
    """Whether a script exists, is executable, and has an interpreter. It is not run.

    Privileges: to enter its folder; to read it for its interpreter, which is unknown without. Source: stat(1).
    """

    path: str

    @property
    def title(self) -> str:
        return self.path

    def script(self) -> str:
        path = quote(self.path)
        return f"""[ -e {path} ] || {{ echo "== missing $(ls -d -- {path} 2>&1 >/dev/null)"; exit 0; }}
echo "== file $(stat -L -c '%a %U %s' -- {path})"
[ -r {path} ] && i=$(head -n 1 -- {path} | tr -d '\\000' | sed -n 's/^#! *\\([^ ]*\\).*/\\1/p') || exit 0
echo "== interpreter $i"; [ -z "$i" ] || {{ [ -x "$i" ] && echo '== found'; }}
exit 0
"""

    def parse(self, answer: Answer) -> ScriptFacts:
        missing, file, interpreter = (answer.block(name) for name in ("missing", "file", "interpreter"))
        if missing:
            if "ermission denied" in missing.rest:
                raise MissingPrivilege(f"{self.path} may not be looked for by this account: let it enter its folder")
            return ScriptFacts(self.path, False)
        parts = file.rest.split(" ") if file else []
        if len(parts) != 3 or not parts[0] or set(parts[0]) - set("01234567"):
            raise answer.failure(self.path)
        name = one_line(interpreter.rest, 100) if interpreter else ""
        found = answer.block("found") is not None if name else None
        size = integer(parts[2], f"the size of {self.path}")
        return ScriptFacts(self.path, True, parts[0], one_line(parts[1], 40), size, name, found)


@dataclass(frozen=True)
class SentAlert:
    """How a test alert went."""

    message: str
    """What was sent, to be looked for: unique for each time."""
    status: int
    """The script's exit status."""
    arrived: bool | None
    """Whether it showed in time; None where there is no place to look."""
    seconds: float = 0.0
    """Until it did, or how long was waited."""


@dataclass(frozen=True)
class SendAlert(Question):
    """SENDS A TEST ALERT by the script and waits until it shows below `arrives_in`: a drill, not a look.

    Privileges: to execute the script, and to read the place of arrival.
    """

    path: str
    arrives_in: str | None
    arrival_seconds: float

    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 3600.0

    @property
    def title(self) -> str:
        return f"the test alert by {self.path}"

    def script(self) -> str:
        path, bound = quote(self.path), max(1, round(self.arrival_seconds))
        look = f'grep -rqsF -- "$m" {quote(self.arrives_in)}' if self.arrives_in else "true"
        return f"""[ -x {path} ] || {{ echo '== notexecutable'; exit 0; }}
began=$(date +%s); m="Test alert of the operational verification, $(date -u +%Y%m%dT%H%M%SZ)-$$"
echo "== message $m"
t=; timeout 5 true 2>/dev/null && t='timeout {bound}'
$t {path} "$m" </dev/null >/dev/null 2>&1; echo "== status $?"
while :; do
if {look}; then a=1; else a=0; fi
passed=$(($(date +%s) - began)); [ $a = 1 ] || [ $passed -ge {bound} ] && break
sleep 1
done
echo "== arrived $a $passed"
"""

    def parse(self, answer: Answer) -> SentAlert:
        if answer.block("notexecutable"):
            raise MissingPrivilege(f"{self.path} may not be executed by this account, so no test alert was sent")
        message, status, arrived = (answer.block(name) for name in ("message", "status", "arrived"))
        if message is None or status is None:
            raise answer.failure(self.title, "it did not end")
        code = integer(status.rest, "the script's exit status")
        if arrived is None:
            raise ProbeError(f"{self.title} was sent, but the wait for it ended early")
        there, _, seconds = arrived.rest.partition(" ")
        shown = there == "1" if self.arrives_in else None
        return SentAlert(one_line(message.rest), code, shown, integer(seconds, "the time of arrival"))


def drill_probe(target: Host, questions: frozenset[Question], deadline: Deadline) -> Mapping[Question, Any]:
    """Ask through a session of its own, so that nobody else waits for the drill, and no look at a host writes."""
    return probe(target, questions, deadline)


__all__ = ["ScriptFacts", "ScriptFile", "SendAlert", "SentAlert", "drill_probe"]
