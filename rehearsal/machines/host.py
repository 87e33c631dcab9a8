"""One booted host: run commands in it, reach it from the control namespace, switch it off and on."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no types

from rehearsal.credentials import Credentials
from rehearsal.errors import NotStarted, tail
from rehearsal.machines import seed
from rehearsal.machines.network import Network
from rehearsal.parts.proxy import Authority

BOOT = Path(__file__).parent / "boot.sh"
UP_SECONDS = 60.0
OFF_SECONDS = 30.0
RUN_SECONDS = 60.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SIZE = "1g"
"""What a host can write, in memory: its file systems are an overlay of the image."""


@dataclass
class TestHost:
    """A host that is up. Nothing but the control namespace reaches its `address`."""

    __test__ = False  # for pytest

    name: str
    number: int
    address: str
    namespace: str
    machine: str
    folder: Path
    network: Network
    authority: Authority
    secrets: Credentials = field(repr=False)
    ssh_config: Path
    """An ssh_config for every host of the run: keys, host keys, `monitor` unless another user is asked for."""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def control(self) -> str:
        """The network namespace from which the hosts are reached: `ip netns exec <control> …`."""
        return self.network.control

    @property
    def log(self) -> Path:
        """What systemd said on the console."""
        return self.folder / "console.log"

    def boot(self, image: Path, cgroups: Sequence[Path]) -> None:
        """Start booting; `await_up` waits for it. Its owner is this thread, which must outlive it."""
        work = self.folder / "work"
        work.mkdir()
        arguments = [image, self.folder / "seed", work, self.machine, self.name, self.namespace, SIZE, *cgroups]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["sh", str(BOOT), *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={"PATH": PATH, "LC_ALL": "C"},
            )

    def await_up(self, but: int | None = None) -> None:
        """Wait until every unit is up, of a system whose init is not the process `but`.

        Raises NotStarted with the end of the console's log.
        """
        until = time.monotonic() + UP_SECONDS
        state = "no init"
        while time.monotonic() < until:
            leader = self.leader()
            if leader not in (None, but):
                state = self.run("systemctl is-system-running", check=False).stdout.strip()
                if state == "running":
                    return
                if state == "degraded":
                    failed = self.run("systemctl --failed --plain --no-legend", check=False).stdout.strip()
                    raise NotStarted(f"{self.name} did not come up whole: {failed}")
            elif self._process is not None and self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise NotStarted(f"{self.name} did not come up ({state}){tail(self.log)}")

    def leader(self) -> int | None:
        """The host's init, as a process of this machine; None where it is off."""
        if self._process is None:
            return None
        with contextlib.suppress(psutil.Error, OSError):
            for process in psutil.Process(self._process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error, OSError):
                    status = Path(f"/proc/{process.pid}/status").read_text()
                    ids = next(line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))
                    # Before it is systemd, it is nspawn still preparing the file systems.
                    if len(ids) > 1 and ids[-1] == "1" and process.name() == "systemd":
                        return int(process.pid)
        return None

    def run(
        self, command: str, *, input: str | None = None, check: bool = True, seconds: float = RUN_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the host as root, whatever its sshd and network do.

        Raises NotStarted when the host is off, or when the command fails and `check` is set.
        """
        leader = self.leader()
        if leader is None:
            raise NotStarted(f"{self.name} is off")
        namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd=/"]
        done = subprocess.run(
            ["nsenter", f"--target={leader}", *namespaces, "sh", "-c", command],
            input=input if input is not None else "",
            capture_output=True,
            text=True,
            timeout=seconds,
            env={"PATH": PATH, "HOME": "/root", "LC_ALL": "C", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"},
        )
        if check and done.returncode != 0:
            raise NotStarted(f"{self.name}: {command[:80]} failed: {(done.stderr or done.stdout).strip()[-600:]}")
        return done

    def from_control(
        self,
        command: Sequence[str | Path],
        *,
        seconds: float = 120,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of this machine where the hosts are reached, and return what it said."""
        return subprocess.run(
            ["ip", "netns", "exec", self.control, *map(str, command)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=cwd,
            env=dict(env) if env is not None else None,
        )

    def reboot(self) -> None:
        """Restart it in good order, and wait until it is up again."""
        before = self.leader()
        self.run("systemctl reboot")
        self.await_up(but=before)

    def power_off(self) -> None:
        """Shut it down in good order; its address is silent afterwards. Its disk stays."""
        self.run("systemctl poweroff")
        until = time.monotonic() + OFF_SECONDS
        while self.leader() is not None:
            if time.monotonic() > until:
                raise NotStarted(f"{self.name} did not shut down{tail(self.log)}")
            time.sleep(0.05)
        self.network.plug(self.number, False)

    def power_on(self) -> None:
        """Boot it again after `power_off`."""
        if self._process is None or self._process.stdin is None:
            raise NotStarted(f"{self.name} was never booted")
        self.network.plug(self.number, True)
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        self.await_up()

    def serve_certificate(self, ends: timedelta = timedelta(days=120)) -> None:
        """Have nginx and PostgreSQL serve a new certificate that ends in `ends` from now."""
        issued = seed.certificate(self.authority, self.address, ends)
        self.run("cat > /etc/ssl/mycats/server.pem", input=issued.chain.read_text())
        self.run("cat > /etc/ssl/mycats/server.key", input=issued.key.read_text())
        self.run("systemctl reload nginx postgresql@15-main")

    def forget(self) -> None:
        """Let go of its process, which was ended."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            process.kill()
            process.wait()
