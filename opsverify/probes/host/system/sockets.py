"""Listening TCP sockets, and whose they are."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, Question, integer
from opsverify.probes.host.shell import LISTENERS
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class Socket:
    """A listening TCP socket. `owner_pids` is empty where this account may not see whose it is."""

    address: str
    port: int
    inode: int
    owner_pids: tuple[int, ...] = ()

    @property
    def public(self) -> bool:
        """Whether it accepts connections from other machines (it may still be behind a firewall)."""
        return not ipaddress.ip_address(self.address).is_loopback


@dataclass(frozen=True)
class ListeningSockets(Question):
    """Every listening TCP socket of the host's own network namespace.

    Privileges: none for the sockets; whose they are needs the same user or root. Source: proc_net(5), /proc/net/tcp.
    """

    shell = ShellFile(__package__, "sockets.sh")
    helpers = (LISTENERS,)

    def parse(self, answer: Answer) -> tuple[Socket, ...]:
        if answer.block("sockets") is None:
            raise answer.failure("the listening sockets")
        return listening_sockets(answer)


def listening_sockets(answer: Answer) -> tuple[Socket, ...]:
    """What `listeners` and `owners` of listeners.sh printed; raises ProbeError where that is not whole."""
    sockets, owners = answer.block("sockets"), answer.block("owners")
    if sockets is None or owners is None or answer.truncated:
        raise answer.failure("the listening sockets", "the list was not read to its end")
    holders: dict[str, list[int]] = {}
    for line in filter(None, owners.lines):
        pid, _, inode = line.partition(" ")
        holders.setdefault(inode, []).append(integer(pid, "a process id"))
    return tuple(sorted(_parsed(filter(None, sockets.lines), holders), key=lambda s: (s.port, s.address, s.inode)))


def _parsed(lines: Iterable[str], holders: dict[str, list[int]]) -> Iterable[Socket]:
    for line in lines:
        match = re.fullmatch(r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) (\d+) (\d+)", line)
        if not match:
            raise ProbeError(f"the listening sockets could not be determined: {line[:60]!r} is none")
        # The kernel prints each 32-bit word of the address in the host's byte order: little-endian wherever we run.
        words = bytes.fromhex(match[1])
        address = ipaddress.ip_address(b"".join(words[i : i + 4][::-1] for i in range(0, len(words), 4)))
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        inode = integer(match[3], "a socket's inode")
        yield Socket(str(mapped or address), int(match[2], 16), inode, tuple(sorted(holders.get(match[3], []))))


__all__ = ["ListeningSockets", "Socket", "listening_sockets"]
