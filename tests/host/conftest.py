"""A real sshd on loopback, and other things that tests of the host probe need."""

from __future__ import annotations

import dataclasses
import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclasses.dataclass
class Sshd:
    """A running sshd with keys of its own."""

    folder: Path
    port: int

    def config(self, name: str = "config", text: str = "", **options: str) -> Path:
        """Write an ssh_config whose `Host server` leads to it."""
        values = {
            "HostName": "127.0.0.1", "Port": str(self.port), "User": getpass.getuser(),
            "IdentityFile": str(self.folder / "user"), "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(self.folder / "known_hosts"), "GlobalKnownHostsFile": "/dev/null", **options,
        }  # fmt: skip
        path = self.folder / name
        lines = "".join(f"  {key} {value}\n" for key, value in values.items())
        path.write_text(f"{text}\nHost server server-*\n{lines}")
        path.chmod(0o600)
        return path


def _key(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path.with_suffix(".pub").read_text()


@pytest.fixture(scope="session")
def sshd(tmp_path_factory):
    """An sshd with its default MaxStartups, run as the current user."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("sshd and ssh are not installed")
    folder = tmp_path_factory.mktemp("sshd")
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
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        f"StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin yes\n"
        "KbdInteractiveAuthentication no\nPrintMotd no\nMaxStartups 10:30:100\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            if process.poll() is not None:
                pytest.skip(f"sshd does not start: {(folder / 'log').read_text()[-300:]}")
            time.sleep(0.05)
    yield Sshd(folder, port)
    process.terminate()
    process.wait(5)


@pytest.fixture(autouse=True)
def _closed():
    yield
    from opsverify.probes.host import close_connections

    close_connections()


@pytest.fixture
def leftovers():
    """The command lines of living processes that hold a word."""

    def of(word: str) -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                state = (path.parent / "stat").read_text().rpartition(") ")[2][:1]
            except OSError:
                continue
            if word in line and state != "Z" and int(path.parent.name) != os.getpid():
                found.append(line)
        return found

    return of
