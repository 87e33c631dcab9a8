"""The services and timers that systemd knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from opsverify.probes.host.question import MIB, Answer, Question
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.surroundings.hidden import ended, hidden

MENTIONED = ShellFile(__package__, "mentioned.sh")


@dataclass(frozen=True)
class Unit:
    """A service or a timer. `words`: the files and plain words of its command, `logs`: the files it is sent to."""

    name: str
    active: bool
    enabled: bool
    failed: bool
    type: str
    file: str
    user: str
    folder: str
    pid: int | None
    starts: str
    """Of a timer: the unit that it starts."""
    env_files: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """Whether the administrator made it, and no package."""
        return self.file.startswith(("/etc/systemd/system/", "/usr/local/lib/systemd/"))


@dataclass(frozen=True)
class UnitsSeen:
    """`systemd`: whether it answers. `hidden`: what could not be read."""

    systemd: bool
    units: tuple[Unit, ...] = ()
    hidden: tuple[str, ...] = ()

    def named(self, name: str) -> Unit | None:
        """The unit of this name."""
        return next((unit for unit in self.units if unit.name == name), None)


@dataclass(frozen=True)
class Units(Question):
    """Which services and timers there are, what they run and where they write to; no variables, no arguments.

    Privileges: none; a unit file that this account may not read is listed. Source: systemctl(1) show,
    org.freedesktop.systemd1(5).
    """

    shell = ShellFile(__package__, "units.sh")
    helpers = (MENTIONED,)
    max_bytes: ClassVar[int] = 2 * MIB

    def parse(self, answer: Answer) -> UnitsSeen:
        if answer.block("nosystemd"):
            return UnitsSeen(False)
        ended(answer, "the units")
        block = answer.block("units")
        if block is None:
            raise answer.failure("the units")
        told: dict[str, dict[str, list[str]]] = {}
        for part in answer.blocks():
            if part.name == "command":
                for line in part.lines:
                    key, _, rest = line.partition(" ")
                    told.setdefault(part.rest, {}).setdefault(key, []).append(rest)
        units = [_unit(values, told.get(values["Id"][0], {})) for values in _paragraphs(block.lines)]
        found = [unit for unit in units if unit is not None]
        return UnitsSeen(True, tuple({unit.name: unit for unit in found}.values()), hidden(answer))


def _paragraphs(lines: list[str]) -> Iterator[dict[str, list[str]]]:
    values: dict[str, list[str]] = {}
    for line in [*lines, ""]:
        key, separator, value = line.partition("=")
        if separator:
            values.setdefault(key, []).append(value)
        elif not line:
            if "Id" in values:
                yield values
            values = {}


def _unit(values: dict[str, list[str]], told: dict[str, list[str]]) -> Unit | None:
    def one(key: str) -> str:
        return values.get(key, [""])[0]

    if one("LoadState") != "loaded":
        return None
    pid = one("MainPID")
    return Unit(
        name=one("Id"),
        active=one("ActiveState") == "active",
        enabled=one("UnitFileState") in ("enabled", "enabled-runtime", "alias", "generated"),
        failed=one("ActiveState") == "failed",
        type=one("Type"),
        file=one("FragmentPath"),
        user=one("User") or "root",
        folder=one("WorkingDirectory").removeprefix("!"),
        pid=int(pid) if pid.isascii() and pid.isdigit() and len(pid) < 12 and int(pid) else None,
        starts=one("Unit"),
        env_files=tuple(file.partition(" (")[0] for file in values.get("EnvironmentFiles", []) if file),
        words=tuple(told.get("word", [])),
        logs=tuple(dict.fromkeys(told.get("log", []))),
    )


__all__ = ["MENTIONED", "Unit", "Units", "UnitsSeen"]
