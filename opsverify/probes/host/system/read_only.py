"""File systems that cannot be written to, and whether that is meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.mounts import Mount, mounts, unescaped
from opsverify.probes.host.question import MIB, Answer, Block, Question, integer, moment
from opsverify.probes.host.shell import MOUNTS
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.system.filesystems import NETWORK_TYPES, PSEUDO_TYPES

NEVER_BY_ERROR = (*NETWORK_TYPES, "zfs", "xfs")
"""What an error does not turn read-only: XFS shuts down, ZFS suspends its pool, and a server's word is its own."""


@dataclass(frozen=True)
class Unwritable:
    """A file system that nothing can be written to. `why` is what follows its name: "is read-only, though …"."""

    mount: str
    type: str
    why: str
    meant: bool | None
    """None where nothing tells: it was mounted so by hand, and shows no error."""


@dataclass(frozen=True)
class RecordedErrors:
    """A file system that has noted errors since it was last repaired (ext4)."""

    mount: str
    count: int
    last: datetime | None


@dataclass(frozen=True)
class ReadOnlyFacts:
    """The real file systems of a host: `writable` mount points, those that are not, and those that noted errors."""

    writable: tuple[str, ...]
    unwritable: tuple[Unwritable, ...]
    errors: tuple[RecordedErrors, ...] = ()
    silent: tuple[str, ...] = ()
    """Mount points that did not answer within 3 seconds."""


@dataclass(frozen=True)
class ReadOnlyFilesystems(Question):
    """Which real file systems are read-only or shut down, whether that is meant, and which noted errors.

    It is meant where /etc/fstab or the unit of the mount says `ro`, where the device is a read-only image (loop, dm),
    and where the file system never turns so by itself. `ignore` and `only` are as for Filesystems. Privileges: none.
    Source: proc_pid_mountinfo(5), fstab(5), systemd.mount(5); ext4(5) errors=, whose kernels since 6.15 keep `rw` and
    add `emergency_ro`; /sys/fs/ext4/*/errors_count (kernel, ABI/testing/sysfs-fs-ext4); OpenZFS, kstat zfs/*/state.
    """

    ignore: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    shell = ShellFile(__package__, "read_only.sh")
    helpers = (MOUNTS,)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 15.0
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return "read-only file systems"

    @property
    def arguments(self) -> tuple[str, ...]:
        return PSEUDO_TYPES, " ".join(NETWORK_TYPES)

    def parse(self, answer: Answer) -> ReadOnlyFacts:
        blocks = answer.blocks()
        if not blocks or blocks[-1].name != "end" or answer.truncated:
            raise answer.failure(self.title, "the list of mounts was not read to its end")
        pools = [_pool(block) for block in blocks if block.name == "pool" and block.rest.endswith(" SUSPENDED")]
        mounted = mounts(answer) if any(block.name == "mount" for block in blocks) else {}
        seen = [one for one in mounted.values() if self._looked_at(one.mount)]
        if not seen:
            raise ProbeError("read-only file systems could not be determined: no real one is mounted")
        by_device: dict[str, list[Mount]] = {}
        for one in sorted(seen, key=lambda one: (len(one.mount), one.mount)):
            by_device.setdefault(one.device, []).append(one)
        asked, errors = dict(_asked(blocks)), dict(_errors(blocks))
        images = {block.rest for block in blocks if block.name == "image"}
        down = {unescaped(block.rest) for block in blocks if block.name == "down"}
        unwritable: list[Unwritable] = list(pools)
        writable, noted = [], []
        for device, group in by_device.items():
            first, (count, last) = group[0], errors.get(device, (0, None))
            if any(one.mount in down for one in group):
                unwritable.append(Unwritable(first.mount, first.type, "answers nothing but I/O errors", False))
            elif first.unwritable:
                wanted = {asked[one.mount] for one in group if one.mount in asked}
                unwritable.append(_judged(first, wanted, count, device in images))
            else:
                writable.append(first.mount)
            if count:
                noted.append(RecordedErrors(first.mount, count, last))
        silent = tuple(
            mount for block in blocks if block.name == "silent" and self._looked_at(mount := unescaped(block.rest))
        )
        return ReadOnlyFacts(tuple(sorted(writable)), tuple(unwritable), tuple(noted), silent)

    def _looked_at(self, mount: str) -> bool:
        return mount not in self.ignore and (not self.only or mount in self.only)


def _judged(one: Mount, wanted: set[str], errors: int, image: bool) -> Unwritable:
    """A file system that its own options keep from being written to. `wanted`: "ro" and "rw", as it is asked for."""
    why = one.unwritable
    if one.flags != ("ro",):
        return Unwritable(one.mount, one.type, why, False)
    if "rw" in wanted:
        return Unwritable(one.mount, one.type, f"{why}, and is meant to be written to by /etc/fstab or its unit", False)
    if "ro" in wanted:
        return Unwritable(one.mount, one.type, f"{why} by /etc/fstab or its unit", True)
    if errors:
        return Unwritable(one.mount, one.type, f"{why} and has noted errors", False)
    if image or one.type in NEVER_BY_ERROR:
        return Unwritable(one.mount, one.type, f"{why} by choice", True)
    return Unwritable(one.mount, one.type, f"{why}, and neither /etc/fstab nor a unit says so", None)


def _asked(blocks: list[Block]) -> Iterator[tuple[str, str]]:
    """Mount points and "ro" or "rw", as fstab asks for them, then, instead, as their units do."""
    for name in ("fstab", "unit"):
        for block in blocks:
            if block.name == name:
                mount, _, options = block.rest.partition(" ")
                chosen = [option for option in options.split(",") if option in ("ro", "rw")]
                yield unescaped(mount).rstrip("/") or "/", chosen[-1] if chosen else "rw"


def _errors(blocks: list[Block]) -> Iterator[tuple[str, tuple[int, datetime | None]]]:
    """Numbers of devices, how many errors are noted there, and when the last was."""
    for block in blocks:
        if block.name == "errors":
            device, count, when = [*block.rest.split(" "), "", ""][:3]
            seconds = integer(when, "the time of the last error") if when else 0
            last = moment(seconds, "the time of the last error") if seconds else None
            yield device, (integer(count, f"the errors of {device}"), last)


def _pool(block: Block) -> Unwritable:
    return Unwritable(block.rest.split(" ")[0], "zfs", "is suspended after an error", False)


__all__ = ["ReadOnlyFacts", "ReadOnlyFilesystems", "RecordedErrors", "Unwritable"]
