"""The operating system and its clock."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, Question, decimal, moment
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class OsFacts:
    """Which operating system it is, and how its clock stands against ours."""

    id: str
    """"debian", "ubuntu", "rhel", "alpine"…; empty where os-release does not exist, as with `version`."""
    version: str
    """"12", "22.04"."""
    pretty_name: str
    kernel: str
    hostname: str
    clock: datetime
    clock_offset_seconds: float
    """The host's clock minus ours; positive: it is ahead."""
    clock_uncertainty_seconds: float
    """The true offset is no farther from that than this: half of the time that question and answer took."""


@dataclass(frozen=True)
class OsRelease(Question):
    """The operating system's name and version, and its clock compared with ours.

    Privileges: none. Source: os-release(5), uname(1).
    """

    shell = ShellFile(__package__, "operating_system.sh")
    first: ClassVar[bool] = True

    def parse(self, answer: Answer) -> OsFacts:
        clock, kernel, hostname, release = (answer.block(n) for n in ("clock", "kernel", "hostname", "release"))
        if clock is None or kernel is None or hostname is None or release is None:
            raise answer.failure("the operating system")
        values = dict(_assignment(line) for line in release.lines if "=" in line and not line.startswith("#"))
        seconds = decimal(clock.rest, "the host's clock")
        half = max(0.0, answer.received - answer.sent) / 2
        return OsFacts(
            id=values.get("ID", ""),
            version=values.get("VERSION_ID", ""),
            pretty_name=values.get("PRETTY_NAME", ""),
            kernel=kernel.rest,
            hostname=hostname.rest,
            clock=moment(seconds, "the host's clock"),
            clock_offset_seconds=seconds - (answer.sent + half),
            # A clock that shows whole seconds only adds half of one.
            clock_uncertainty_seconds=half + (0.5 if clock.rest.endswith(".5") else 0.0),
        )


def _assignment(line: str) -> tuple[str, str]:
    key, _, value = line.partition("=")
    # shlex leaves a backslash before what only a shell has: "\\$".
    if quoted := re.fullmatch(r'"((?:[^"\\]|\\.)*)"', value.strip()):
        return key.strip(), re.sub(r'\\([\\"$`])', r"\1", quoted[1])
    try:
        return key.strip(), "".join(shlex.split(value)[:1])
    except ValueError:
        raise ProbeError("the operating system could not be determined: os-release is malformed") from None
