"""SSH to a host: within this process where that is possible, else by OpenSSH's own client.

Both verify host keys, share one connection for all that is asked of a host, follow the operator's ssh_config, and set
up few connections to one endpoint at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from opsverify.probes.host.run import Finished
from opsverify.probes.host.ssh import openssh
from opsverify.probes.host.ssh.configuration import Address, settings_of
from opsverify.probes.host.ssh.left import leave
from opsverify.probes.host.ssh.options import LeftToOpenSSH, refusal

if TYPE_CHECKING:
    from opsverify.evidence.deadline import Deadline

Sink = Callable[[bytes], None]


def run(
    address: Address,
    command: str,
    script: str,
    deadline: Deadline,
    sink: Sink | None,
    by_openssh: Callable[[list[str]], Finished],
    *,
    only_openssh: bool = False,
) -> Finished:
    """Run `command` on a host with `script` on its standard input.

    `by_openssh` runs the same with OpenSSH's client, given the options of its shared connection. Raises ProbeError
    where no connection could be made.
    """
    settings = settings_of(address, deadline)
    why = refusal(settings)
    if not only_openssh and not why:
        try:
            from opsverify.probes.host.ssh import in_process  # which needs asyncio: not for every run

            return in_process.client().run(settings, command, script, deadline, sink)
        except LeftToOpenSSH as error:
            why = str(error)
    done = by_openssh(openssh.masters().options(settings, deadline))
    if why and not only_openssh:
        leave(address.name, why)
    return done


def close_connections() -> None:
    """Close every shared SSH connection now; the next question sets up a new one. Safe to call at any time."""
    if in_process := sys.modules.get(f"{__name__}.in_process"):
        in_process.close()
    openssh.close()


__all__ = ["Address", "close_connections", "run"]
