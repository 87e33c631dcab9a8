"""Pending updates of the operating system, as its package manager knows them without asking the network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.question import MIB, Answer, Block, Question, integer, moment, one_line
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.system import version_order


@dataclass(frozen=True)
class PendingUpdate:
    """A package that has an update: the versions are the package manager's own words, "" where it does not say."""

    package: str
    installed: str
    available: str

    def __str__(self) -> str:
        return f"{self.package} {self.available}".rstrip()


@dataclass(frozen=True)
class UpdateFacts:
    """What waits to be installed, and whether what is installed waits for a reboot."""

    manager: str
    """"apt", "dnf" or "apk"."""
    security: tuple[PendingUpdate, ...]
    """apk has no notion of security updates: there, all pending ones."""
    others: int
    """Pending updates that are none of security; 0 for dnf, which is only asked about security."""
    listed_at: datetime | None
    """Of when the package lists of security updates are: of anything newer, nothing is known. None: there are none."""
    reboot: tuple[str, ...]
    """What a reboot is pending for, one sentence each; empty: for nothing."""
    observed_at: datetime


@dataclass(frozen=True)
class PendingUpdates(Question):
    """Which security updates are pending, how old the package lists are, and whether a reboot is pending.

    Privileges: none; it simulates, asks no network and writes no cache. Source: apt-get(8) -s, dnf(8) updateinfo,
    apk(8) version, and for reboots /run/reboot-required and the kernels in /boot, in the package manager's order.
    """

    shell = ShellFile(__package__, "updates.sh")
    seconds: ClassVar[float] = 15.0
    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return "pending updates"

    def parse(self, answer: Answer) -> UpdateFacts:
        if answer.block("nomanager"):
            raise ProbeError(f"{self.title} could not be determined: the host has none of apt, dnf and apk")
        blocks = answer.blocks()
        manager, clock, updates = (answer.block(name) for name in ("manager", "clock", "updates"))
        if manager is None or clock is None or updates is None or answer.block("running") is None:
            raise answer.failure(self.title)
        if answer.block("failed"):
            raise answer.failure(f"{self.title} of {manager.rest}", one_line("\n".join(updates.lines)) or "it failed")
        if answer.block("nolists"):
            raise ProbeError(f"{self.title} could not be determined: there are no package lists")
        pending = _READERS[manager.rest](updates.lines) if manager.rest in _READERS else None
        if pending is None:
            raise ProbeError(f"{self.title} could not be determined: unknown package manager")
        security, others = pending
        age = "the age of the package lists"
        listed = [moment(integer(block.rest, age), age) for block in blocks if block.name == "listed"]
        listed += [_dated(block.rest, age) for block in blocks if block.name == "dated"]
        return UpdateFacts(
            manager=manager.rest,
            security=tuple(security),
            others=others,
            listed_at=max(listed, default=None),
            reboot=tuple(_reboot(blocks, manager.rest)),
            observed_at=moment(integer(clock.rest, "the host's clock"), "the host's clock"),
        )


def _dated(text: str, what: str) -> datetime:
    """A date as a Release file says it: "Thu, 01 Jan 2026 00:00:00 UTC"."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        raise ProbeError(f"{what} could not be determined: {one_line(text, 40)!r} is no date") from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


Found = tuple[list[PendingUpdate], int]


def _apt(lines: list[str]) -> Found:
    """`Inst libssl3 [3.0.11-1] (3.0.15-1 Debian-Security:12/stable-security [amd64])`; a new package has no [old]."""
    security: dict[str, PendingUpdate] = {}
    others = 0
    for line in lines:
        match = re.match(r"Inst (\S+) (?:\[(\S*)\] )?\((\S+) ([^\[)]*)", line)
        if not match:
            continue
        name, installed, available, origins = match.groups()
        if re.search("security", origins, re.IGNORECASE):
            security[name] = PendingUpdate(name, installed or "", available)
        else:
            others += 1
    return list(security.values()), others


def _dnf(lines: list[str]) -> Found:
    """`RHSA-2024:1234 Important/Sec. openssl-1:3.0.7-27.el9.x86_64`; dnf 5 has a column for type and severity each."""
    updates: dict[str, PendingUpdate] = {}
    for line in lines:
        match = re.match(r"\S+-\d{4}\S*\s.*?([\w.+-]+?)-((?:\d+:)?[\w.+~^]+-[\w.+~^]+)\.(\w+)(?:\s|$)", line.strip())
        if match:
            updates[match[1]] = PendingUpdate(match[1], "", match[2])
    return list(updates.values()), 0


def _apk(lines: list[str]) -> Found:
    """`busybox-1.36.1-r5    < 1.36.1-r7`."""
    updates = []
    for line in lines:
        match = re.match(r"(\S+?)-(\d\S*)\s+<\s+(\S+)", line)
        if match:
            updates.append(PendingUpdate(*match.groups()))
    return updates, 0


_READERS = {"apt": _apt, "dnf": _dnf, "apk": _apk}


def _reboot(blocks: list[Block], manager: str) -> list[str]:
    by_name = {block.name: block for block in reversed(blocks)}
    reasons = []
    if "required" in by_name:
        packages = sorted({one_line(line, 60) for line in by_name["required"].lines} - {""})
        reasons.append("/run/reboot-required" + (f" ({', '.join(packages[:10])})" if packages else ""))
    read = _rpm_kernel if manager == "dnf" else _debian_kernel
    running = by_name["running"].rest
    flavour, version = read(running)
    kernels = [name for name in by_name["kernels"].lines if re.match(r"\d", name) and read(name)[0] == flavour]
    newest = max(kernels, key=lambda name: read(name)[1], default=running)
    if read(newest)[1] > version:
        reasons.append(f"kernel {one_line(newest, 60)} is installed, {one_line(running, 60)} runs")
    modules = by_name["modules"].lines if "modules" in by_name else []
    # Alpine removes a kernel's modules when it replaces it, and its image has no version in its name.
    if not kernels and "vmlinuz" not in running and modules and running not in modules and "required" not in by_name:
        reasons.append(f"kernel {one_line(running, 60)} runs, {one_line(modules[-1], 60)} is installed")
    return reasons


Kernel = tuple[str, tuple[version_order.Key, version_order.Key]]
"""The flavour, which tells kernels for other machines apart, and the version, to sort by."""


def _debian_kernel(name: str) -> Kernel:
    """`6.1.0-28-cloud-amd64`, `6.12.90+deb13.1-amd64`, `6.13-rc2-amd64`; the flavours are cloud-amd64 and amd64."""
    match = re.search(r"-(?!rc\d)[A-Za-z]", name)
    version, flavour = (name[: match.start()], name[match.start() :]) if match else (name, "")
    return flavour, version_order.debian(version.replace("-rc", "~rc"))


def _rpm_kernel(name: str) -> Kernel:
    """`5.14.0-427.13.1.el9_4.x86_64`, `5.15.0-300.163.18.el9uek.x86_64`; the flavours are x and uekx."""
    return re.sub(r"(?:el|fc)\d+|[^a-z]+", "", name), version_order.rpm(name)


__all__ = ["PendingUpdate", "PendingUpdates", "UpdateFacts"]
