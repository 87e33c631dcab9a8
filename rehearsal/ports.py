"""Free TCP ports on 127.0.0.1, kept from other rehearsals as long as this one lives."""

from __future__ import annotations

import contextlib
import random
import socket

# Below the range from which Linux takes the near ends of outgoing connections: a chosen port can't be lost to
# one between choosing and listening.
FIRST, LAST = 20_000, 32_000
ATTEMPTS = 500


class Reservation:
    """Ports of this rehearsal's own, also while the part that uses one is stopped.

    The UDP port of the same number, which no part uses, says that a TCP port is taken: to every user of this machine,
    and no longer than this process lives. Until its part starts, the TCP port itself is bound, too.
    """

    def __init__(self) -> None:
        self._taken: list[socket.socket] = []
        self._held: dict[int, socket.socket] = {}

    def take(self) -> int:
        """Reserve and return one free port. Raises OSError when none is found."""
        chooser = random.SystemRandom()
        for _ in range(ATTEMPTS):
            port = chooser.randrange(FIRST, LAST)
            with contextlib.ExitStack() as undoing:
                sign = undoing.enter_context(socket.socket(type=socket.SOCK_DGRAM))
                holder = undoing.enter_context(socket.socket())
                try:
                    sign.bind(("127.0.0.1", port))
                    holder.bind(("127.0.0.1", port))
                except OSError:
                    continue
                undoing.pop_all()
            self._taken.append(sign)
            self._held[port] = holder
            return port
        raise OSError(f"no free port between {FIRST} and {LAST} on 127.0.0.1")

    def release(self, *ports: int) -> None:
        """Let the part that is about to start have its ports."""
        for port in ports:
            if holder := self._held.pop(port, None):
                holder.close()

    def release_all(self) -> None:
        """Let go of all ports."""
        self.release(*tuple(self._held))
        while self._taken:
            self._taken.pop().close()


def accepts(port: int) -> bool:
    """Tell whether something accepts connections on this port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
