"""The addresses of a host: what "listens everywhere" means there."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, Question, one_line
from opsverify.probes.host.shell_file import ShellFile

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class HostAddresses(Question):
    """Every address of the host's own network namespace, as a sorted tuple of text.

    An address that a router or cloud maps to the host is not among them: the host does not know it.
    Privileges: none. Source: /proc/net/fib_trie (its "host LOCAL" leaves) and /proc/net/if_inet6, else ip-address(8).
    """

    shell = ShellFile(__package__, "addresses.sh")

    def parse(self, answer: Answer) -> tuple[str, ...]:
        if answer.block("end") is None or answer.truncated:
            raise answer.failure("the host's addresses", "the list was not read to its end")
        addresses: set[Address] = set()
        for block in answer.blocks():
            for line in filter(None, block.lines):
                addresses.add(_address(block.name, line))
        if not addresses:
            raise ProbeError("the host's addresses could not be determined: it names none")
        return tuple(str(one) for one in sorted(addresses, key=lambda a: (a.version, int(a))))


def _address(block: str, line: str) -> Address:
    text = line.strip()
    if block == "v6":
        digits = text.split()[0]
        text = ":".join(digits[i : i + 4] for i in range(0, 32, 4)) if len(digits) == 32 else digits
    elif block == "ip":
        match = re.search(r"\binet6? ([0-9a-fA-F.:]+)", text)
        text = match[1] if match else text
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise ProbeError(f"the host's addresses could not be determined: {one_line(line, 60)!r} holds none") from None
