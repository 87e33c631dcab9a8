"""Pending updates of the operating system, as its package manager knows them without asking the network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.question import MIB, Answer, Block, Question, integer, moment, one_line


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


# The simulation writes no cache (pkgcache and srcpkgcache are switched off), takes no lock, and shows what a plain
# upgrade would keep back: a new kernel is a new package, and a hold does not make a hole smaller. How old a list is, it
# says itself: an update that a mirror refuses touches folders and stamps all the same.
_APT = r"""
eval "$(apt-config shell lists Dir::State::lists/d)"
echo '== manager apt'
set -- "$lists"/*Packages*; [ -e "$1" ] || echo '== nolists'
grep -lEis '^(Label|Suite|Codename):.*security' "$lists"/*Release | head -n 20 |
while IFS= read -r f; do echo "== dated $(sed -n 's/^Date: *//p' "$f" | head -n 1)"; done
echo '== updates'
apt-get -s -q -o Debug::NoLocking=true -o APT::Get::Show-User-Simulation-Note=false -o Dir::Cache::pkgcache= \
-o Dir::Cache::srcpkgcache= --ignore-hold dist-upgrade || echo "== failed $?"
"""

# dnf keeps a cache of its own for each ordinary user: the system's, which is kept up to date, is the one that counts.
_DNF = r"""
echo '== manager dnf'
for d in /var/cache/libdnf5 /var/cache/dnf /var/cache/yum; do [ -d "$d" ] && break; done
find "$d" -name repomd.xml -exec grep -qE "<data type=.updateinfo" {} \; -exec stat -c '== listed %Y' {} \; 2>/dev/null
echo '== updates'
dnf -q -C --setopt=cachedir="$d" updateinfo list --security || echo "== failed $?"
"""

_APK = r"""
echo '== manager apk'
find /var/cache/apk /etc/apk/cache/ -name 'APKINDEX*' -exec stat -c '== listed %Y' {} + 2>/dev/null
find /var/cache/apk /etc/apk/cache/ -name 'APKINDEX*' -exec stat -c '== listed %Z' {} + 2>/dev/null
echo '== updates'
apk --no-network version -l '<' || echo "== failed $?"
"""

# Only Ubuntu, and Debian with unattended-upgrades or the like, leave /run/reboot-required; kernels are compared too.
_REBOOT = r"""
for f in /run/reboot-required /var/run/reboot-required; do
if [ -e "$f" ]; then echo '== required'; cat "$f.pkgs" 2>/dev/null; break; fi; done
echo "== running $(uname -r)"
echo '== kernels'; ls /boot 2>/dev/null | sed -n 's/^vmlinuz-//p'
echo '== modules'; ls /lib/modules 2>/dev/null
exit 0
"""


@dataclass(frozen=True)
class PendingUpdates(Question):
    """Which security updates are pending, how old the package lists are, and whether a reboot is pending.

    Privileges: none; it simulates, asks no network and writes no cache. Source: apt-get(8) -s, dnf(8) updateinfo,
    apk(8) version, and for reboots /run/reboot-required and the kernels in /boot.
    """

    seconds: ClassVar[float] = 15.0
    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return "pending updates"

    def script(self) -> str:
        return (
            'echo "== clock $(date +%s)"\n'
            f"if command -v apt-get >/dev/null 2>&1; then {_APT}\nelif command -v dnf >/dev/null 2>&1; then {_DNF}\n"
            f"elif command -v apk >/dev/null 2>&1; then {_APK}\nelse echo '== nomanager'\nfi\n{_REBOOT}"
        )

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
        found = _READERS[manager.rest](updates.lines) if manager.rest in _READERS else None
        if found is None:
            raise ProbeError(f"{self.title} could not be determined: unknown package manager")
        security, others = found
        age = "the age of the package lists"
        listed = [moment(integer(block.rest, age), age) for block in blocks if block.name == "listed"]
        listed += [_dated(block.rest, age) for block in blocks if block.name == "dated"]
        return UpdateFacts(
            manager=manager.rest,
            security=tuple(security),
            others=others,
            listed_at=max(listed, default=None),
            reboot=tuple(_reboot(blocks)),
            observed_at=moment(integer(clock.rest, "the host's clock"), "the host's clock"),
        )


def _dated(text: str, what: str) -> datetime:
    """A date as a Release file says it: "Thu, 01 Jan 2026 00:00:00 UTC"."""
    try:
        said = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        raise ProbeError(f"{what} could not be determined: {one_line(text, 40)!r} is no date") from None
    return said if said.tzinfo else said.replace(tzinfo=UTC)


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
    found: dict[str, PendingUpdate] = {}
    for line in lines:
        match = re.match(r"\S+-\d{4}\S*\s.*?([\w.+-]+?)-((?:\d+:)?[\w.+~^]+-[\w.+~^]+)\.(\w+)(?:\s|$)", line.strip())
        if match:
            found[match[1]] = PendingUpdate(match[1], "", match[2])
    return list(found.values()), 0


def _apk(lines: list[str]) -> Found:
    """`busybox-1.36.1-r5    < 1.36.1-r7`."""
    found = []
    for line in lines:
        match = re.match(r"(\S+?)-(\d\S*)\s+<\s+(\S+)", line)
        if match:
            found.append(PendingUpdate(*match.groups()))
    return found, 0


_READERS = {"apt": _apt, "dnf": _dnf, "apk": _apk}


def _reboot(blocks: list[Block]) -> list[str]:
    by_name = {block.name: block for block in reversed(blocks)}
    reasons = []
    if "required" in by_name:
        packages = sorted({one_line(line, 60) for line in by_name["required"].lines} - {""})
        reasons.append("/run/reboot-required" + (f" ({', '.join(packages[:10])})" if packages else ""))
    running = by_name["running"].rest
    kernels = [
        name for name in by_name["kernels"].lines if re.match(r"\d", name) and _flavour(name) == _flavour(running)
    ]
    newest = max(kernels, key=_order, default=running)
    if _order(newest) > _order(running):
        reasons.append(f"kernel {one_line(newest, 60)} is installed, {one_line(running, 60)} runs")
    modules = by_name["modules"].lines if "modules" in by_name else []
    # Alpine removes a kernel's modules when it replaces it, and its image has no version in its name.
    if not kernels and "vmlinuz" not in running and modules and running not in modules and "required" not in by_name:
        reasons.append(f"kernel {one_line(running, 60)} runs, {one_line(modules[-1], 60)} is installed")
    return reasons


def _flavour(kernel: str) -> str:
    """`amd64`, `cloudamd`: what tells kernels for other machines apart, without versions and el9_4."""
    return re.sub(r"el\d+|[^a-z]+", "", kernel)


def _order(kernel: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", kernel)[:8])


__all__ = ["PendingUpdate", "PendingUpdates", "UpdateFacts"]
