"""The script that sends alerts, as a file: whether it is there and can be run."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.errors import MissingPrivilege
from opsverify.probes.host.question import Answer, Question, integer, one_line
from opsverify.probes.host.shell_file import ShellFile


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

    shell = ShellFile(__package__, "alert_script.sh")

    @property
    def title(self) -> str:
        return self.path

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.path,)

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
        interpreter_found = answer.block("found") is not None if name else None
        size = integer(parts[2], f"the size of {self.path}")
        return ScriptFacts(self.path, True, parts[0], one_line(parts[1], 40), size, name, interpreter_found)


__all__ = ["ScriptFacts", "ScriptFile"]
