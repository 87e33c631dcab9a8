"""Send a script through one of testinfra's connections, bounded in time and output.

testinfra knows how to reach local, ssh, docker, podman, kubectl, openshift, lxc, chroot, ansible and salt targets; what
it lacks is a bound. So its backends build the command, and `run` runs it. `paramiko` is left out on purpose: it
verifies no host key.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opsverify.config.child_environment import child_environment
from opsverify.errors import ProbeError
from opsverify.probes.host import ssh
from opsverify.probes.host.causes import explain
from opsverify.probes.host.run import Finished, run

if TYPE_CHECKING:
    from opsverify.config.environment import Host
    from opsverify.evidence.deadline import Deadline

MAX_ARGUMENT = 100_000
"""Bytes of script that one command line may carry (Linux takes 128 KiB for one argument, after quoting)."""

# Any login shell understands this (fish and csh would trip over the script itself), and stdin has no length limit.
# Its one program is the system's own, whatever PATH the login or sudo hands on.
BY_STDIN = "/bin/sh -c 'eval \"$(PATH=/bin:/usr/bin:$PATH cat)\"'"

Sink = Callable[[bytes], None]
Send = Callable[[str, "Deadline", Sink | None], Finished]


class Connection:
    """A way to run scripts on one host."""

    def __init__(self, max_script: int | None, send: Send) -> None:
        self.max_script = max_script
        """The most bytes a script may have, None: any number."""
        self._send = send

    def run(self, script: str, deadline: Deadline) -> Finished:
        """Run a script to its end or the deadline's; what it said by then is returned in both cases.

        Raises ProbeError where no connection could be made.
        """
        return self._send(script, deadline, None)

    def stream(self, script: str, deadline: Deadline, sink: Sink) -> Finished:
        """Run a script whose output goes to `sink` as it comes, however much it is. What `sink` raises ends it.

        Raises ProbeError where no connection could be made, and for kinds that can only hand over text.
        """
        return self._send(script, deadline, sink)


def connect(host: Host) -> Connection:
    """The connection that an environment file describes. Nothing is contacted yet, except by `run`."""
    kind = urlsplit(host.connection).scheme
    config = os.path.expanduser(str(host.ssh_config)) if host.ssh_config else None
    if kind in ("ansible", "salt"):
        return Connection(MAX_ARGUMENT, _relayed(host.connection, config))
    backend = _backend(host.connection, config)
    if kind == "ssh":
        return Connection(None, _ssh(backend, only_openssh=host.ssh_client == "openssh"))
    if kind == "local":
        return Connection(None, _fed(backend))
    return Connection(MAX_ARGUMENT, _given(backend))


def _backend(uri: str, config: str | None) -> Any:
    # Here, because it takes a tenth of a second to import.
    from testinfra.backend import get_backend  # type: ignore[import-untyped]

    parts = urlsplit(uri)
    options: dict[str, Any] = {"ssh_config": config} if config and parts.scheme in ("ssh", "ansible") else {}
    if parts.scheme == "chroot":
        # testinfra takes a URI's host part only, and a folder has none.
        sudo = {"sudo": True} if "sudo=true" in parts.query.lower() else {}
        return get_backend(parts.netloc + parts.path, connection="chroot", **sudo)
    if parts.netloc.startswith("-") or parts.netloc.rpartition("@")[2].startswith("-"):
        raise ProbeError(f"the connection names no host: {parts.netloc!r} starts with a dash")
    return get_backend(uri, **options)


def _bounded(backend: Any, command: str, feed: bytes, seconds: float, sink: Sink | None) -> Finished:
    """Let testinfra's backend build its command line, and run that within bounds."""
    ended: list[Finished] = []

    def run_local(template: str, *arguments: str) -> Any:
        line = backend.quote(template, *arguments)
        done = run(["/bin/sh", "-c", "exec " + line], seconds, feed=feed, env=child_environment(), sink=sink)
        ended.append(done)
        return backend.result(done.status, b"", b"", b"")

    backend.run_local = run_local
    try:
        backend.run(command)
    except RuntimeError:
        # testinfra raises for ssh's status 255, with everything in the message; `ended` says it better.
        if not ended:
            raise ProbeError("testinfra did not accept the connection") from None
    return ended[0]


def _fed(backend: Any) -> Send:
    return lambda script, deadline, sink: _bounded(backend, BY_STDIN, script.encode(), deadline.remaining(), sink)


def _given(backend: Any) -> Send:
    return lambda script, deadline, sink: _bounded(backend, script, b"", deadline.remaining(), sink)


def _ssh(backend: Any, *, only_openssh: bool) -> Send:
    spec = backend.host
    address = ssh.Address(spec.name, spec.user, spec.port, backend.ssh_config, backend.ssh_identity_file)

    def send(script: str, deadline: Deadline, sink: Sink | None) -> Finished:
        def by_openssh(options: list[str]) -> Finished:
            backend.ssh_extra_args = shlex.join(options)
            return _bounded(backend, BY_STDIN, script.encode(), deadline.remaining(), sink)

        command = backend.get_command(BY_STDIN)
        return ssh.run(address, command, script, deadline, sink, by_openssh, only_openssh=only_openssh)

    return send


def _relayed(uri: str, config: str | None) -> Send:
    """Ansible and Salt run inside Python with no way to stop them: they get a process of their own."""

    def send(script: str, deadline: Deadline, sink: Sink | None) -> Finished:
        if sink is not None:
            raise ProbeError("Ansible and Salt hand over text only: fetching a backup needs an ssh:// connection")
        import opsverify

        home = os.path.dirname(os.path.dirname(os.path.abspath(opsverify.__file__)))
        path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        command = [sys.executable, "-m", "opsverify.probes.host.testinfra_child", uri, config or ""]
        return run(command, deadline.remaining(), feed=script.encode(), env={**child_environment(), "PYTHONPATH": path})

    return send


__all__ = ["Connection", "connect", "explain"]
