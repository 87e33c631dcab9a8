"""The hosts' network: a bridge in a control namespace, a namespace and a cable for each host, no way out.

Nothing of it is seen by the machine: addresses and interface names cannot clash with its own.
"""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

from rehearsal.errors import NotAvailable

NAMESPACES = Path("/run/netns")
PREFIX = "opsverify-"
SUBNET = "10.213.77"
CONTROL_ADDRESS = f"{SUBNET}.1"
FIRST_HOST = 11


class Network:
    """The network of one run, named by its id."""

    def __init__(self, run: str) -> None:
        self.control = f"{PREFIX}{run}"

    def create(self) -> None:
        """Make the control namespace with its bridge."""
        control = self.control
        _ip("netns", "add", control)
        _ip("-n", control, "link", "set", "lo", "up")
        _ip("-n", control, "link", "add", "hosts", "type", "bridge")
        _ip("-n", control, "address", "add", f"{CONTROL_ADDRESS}/24", "dev", "hosts")
        _ip("-n", control, "link", "set", "hosts", "up")

    def connect(self, number: int) -> tuple[str, str]:
        """Make the namespace of host `number` (from 0) and its cable; return the namespace and its address."""
        namespace, address = f"{self.control}-{number}", f"{SUBNET}.{FIRST_HOST + number}"
        _ip("netns", "add", namespace)
        peer = ["peer", "name", "eth0", "netns", namespace]
        _ip("-n", self.control, "link", "add", f"host{number}", "type", "veth", *peer)
        _ip("-n", self.control, "link", "set", f"host{number}", "master", "hosts", "up")
        _ip("-n", namespace, "link", "set", "lo", "up")
        _ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
        _ip("-n", namespace, "link", "set", "eth0", "up")
        return namespace, address

    def plug(self, number: int, connected: bool) -> None:
        """Plug a host's cable in or out: without, the kernel would go on to answer for a host that is off."""
        _ip("-n", self.control, "link", "set", f"host{number}", "up" if connected else "down")

    def remove(self) -> None:
        """Remove all of it; harmless when parts are gone already."""
        for path in (*NAMESPACES.glob(f"{self.control}-*"), NAMESPACES / self.control):
            with contextlib.suppress(NotAvailable):
                if path.exists():
                    _ip("netns", "delete", path.name)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        raise NotAvailable(f"ip {' '.join(words)}: {done.stderr.strip()[-200:]}")
