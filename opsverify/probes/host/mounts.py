"""Mounts, and what keeps their file systems from being written to, as functions/mounts.sh prints them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, one_line


@dataclass(frozen=True)
class Mount:
    """A mount that no later one hides. `flags` are the file system's own: ro, emergency_ro, shutdown."""

    device: str
    """Its number, "8:1": two mounts of one file system share it."""
    mount: str
    type: str
    flags: tuple[str, ...] = ()

    @property
    def unwritable(self) -> str:
        """Why nothing can be written to the file system; "" where it can."""
        if "shutdown" in self.flags:
            return "was shut down after an error"
        if "emergency_ro" in self.flags:
            return "turned read-only after an error"
        return "is read-only" if self.flags else ""


def mounts(answer: Answer) -> dict[str, Mount]:
    """Every mount by its mount point. Raises ProbeError where there is none, or one cannot be understood."""
    result: dict[str, Mount] = {}
    for block in answer.blocks():
        if block.name == "mount":
            parts = block.rest.split(" ")
            if len(parts) < 3:
                raise ProbeError(f"the mounts could not be determined: {one_line(block.rest, 60)!r} is no mount")
            device, mount, kind, *flags = parts
            result[unescaped(mount)] = Mount(device, unescaped(mount), kind, tuple(flags))
    if not result:
        raise ProbeError(f"the mounts could not be determined: {one_line(answer.errors) or 'mountinfo is empty'}")
    return result


def escaped(mount: str) -> str:
    """A mount point as /proc/mounts writes it."""
    return re.sub(r"[ \t\n\\#]", lambda match: f"\\{ord(match[0]):03o}", mount)


def unescaped(text: str) -> str:
    """A mount point as it is, from /proc/mounts or /etc/fstab."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8) & 0xFF), text)
