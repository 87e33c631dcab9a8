"""A real sshd on loopback with keys of its own, run as the current user: what a server's host is reached through.

Not a part of the rehearsal itself, which needs nothing but pip: tests and benchmarks use it where sshd is installed.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import NotAvailable

PROGRAM = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass
class Sshd:
    """A running sshd. In `folder`: `user`, the key that it accepts, `stranger`, one that it does not."""

    folder: Path
    port: int

    def config(self, name: str = "config", text: str = "", **options: str) -> Path:
        """Write an ssh_config whose hosts `server` and `server-*` lead to it; returns its path."""
        values = {
            "HostName": "127.0.0.1",
            "Port": str(self.port),
            "User": getpass.getuser(),
            "IdentityFile": str(self.folder / "user"),
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(self.folder / "known_hosts"),
            "GlobalKnownHostsFile": "/dev/null",
            **options,
        }
        path = self.folder / name
        lines = "".join(f"  {key} {value}\n" for key, value in values.items())
        path.write_text(f"{text}\nHost server server-*\n{lines}")
        path.chmod(0o600)
        return path


@contextmanager
def running(folder: Path, *, listen: str = "127.0.0.1", more: str = "MaxStartups 10:30:100") -> Iterator[Sshd]:
    """Run an sshd, with its default MaxStartups, for the length of the block; raises NotAvailable where it cannot.

    `more`: lines of sshd_config.
    """
    if PROGRAM is None or shutil.which("ssh") is None:
        raise NotAvailable("sshd and ssh are not installed")
    host_key = _key(folder / "host")
    (folder / "authorized").write_text(_key(folder / "user"))
    _key(folder / "stranger")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress {listen}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        "StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin yes\n"
        f"KbdInteractiveAuthentication no\nPrintMotd no\n{more}\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise NotAvailable(f"sshd does not start: {(folder / 'log').read_text()[-300:]}") from None
                time.sleep(0.05)
        yield Sshd(folder, port)
    finally:
        process.terminate()
        process.wait(5)


def _key(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path.with_suffix(".pub").read_text()
