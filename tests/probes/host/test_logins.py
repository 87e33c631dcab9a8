"""Guesses at a real sshd, in every way that it refuses them, and what we count of what it logs."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsverify.config.environment import Host
from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.logs.logins import LoginFacts, SshLogins
from opsverify.probes.host.logs.window import Source
from opsverify.probes.host.probe import probe
from rehearsal.sshd import PROGRAM

KEYS = ("-o", "IdentitiesOnly=yes", "-o", "PreferredAuthentications=publickey")
PROMPTS = ("-o", "NumberOfPasswordPrompts=9", "-o", "PubkeyAuthentication=no")
PASSWORDS = ("-o", "PreferredAuthentications=password", *PROMPTS)
DIALOGUE = ("-o", "PreferredAuthentications=keyboard-interactive", *PROMPTS)
ONLY_KEYS = "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
BOTH = "UsePAM no\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\nMaxAuthTries 3\n"
PAM = "UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes\nMaxAuthTries 4\n"


@dataclass(frozen=True)
class Way:
    """A way to guess, and how many failed logins it is. `keys` is how many wrong ones are offered."""

    name: str
    server: str
    client: tuple[str, ...]
    count: int
    keys: int = 0
    user: str = "root"


WAYS = [
    way
    for user in ("root", "nobody-of-that-name")
    for way in (
        Way(f"{user}: more keys than MaxAuthTries", ONLY_KEYS, KEYS, 1, 8, user),
        Way(f"{user}: the same where each key is logged", f"{ONLY_KEYS}LogLevel VERBOSE\n", KEYS, 1, 8, user),
        Way(f"{user}: one key", ONLY_KEYS, KEYS, 1, 1, user),
        Way(f"{user}: nothing", ONLY_KEYS, ("-o", "PreferredAuthentications=none"), 1, 0, user),
        Way(f"{user}: passwords", BOTH, PASSWORDS, 3, 0, user),
        Way(f"{user}: a few keys, then passwords", BOTH, ("-o", "IdentitiesOnly=yes"), 1, 2, user),
        Way(f"{user}: passwords that PAM asks for", PAM, DIALOGUE, 4, 0, user),
        Way(f"{user}: not allowed", f"{BOTH}DenyUsers root\n", PASSWORDS, 3, 0, user),
    )
] + [
    Way("a name that looks like a client's", ONLY_KEYS, KEYS, 1, 8, "x from 192.0.2.6 port 1 ssh2"),
    Way("a name that looks like an end", ONLY_KEYS, KEYS, 1, 8, "x 192.0.2.6 port 1: Too many authentication failures"),
]
IDS = [way.name for way in WAYS]


class Guessed:
    """Has a real sshd guessed at, each connection by one of its own, whose messages are kept by its process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("host", "user", *(f"wrong{n}" for n in range(8))):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        self.askpass = folder / "askpass"
        self.askpass.write_text("#!/bin/sh\necho wrong\n")
        self.askpass.chmod(0o755)

    def messages(self, way: Way) -> list[str]:
        """What sshd writes of it, as `sshd[PID]: MESSAGE`."""
        config = self.folder / f"config-{abs(hash(way))}"
        config.write_text(
            f"HostKey {self.folder}/host\nAuthorizedKeysFile {self.folder}/user.pub\nStrictModes no\nPidFile none\n"
            f"PermitRootLogin yes\n{way.server}"
        )
        wrong = [option for n in range(way.keys) for option in ("-i", str(self.folder / f"wrong{n}"))]
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = str(listening.getsockname()[1])
            client = subprocess.Popen(
                ["ssh", "-F", "none", "-p", port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                 *wrong, *way.client, "-l", way.user, "127.0.0.1", "true"],
                env={**os.environ, "SSH_ASKPASS": str(self.askpass), "SSH_ASKPASS_REQUIRE": "force"},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            connection, _ = listening.accept()
        with connection:
            server = subprocess.Popen([str(PROGRAM), "-i", "-e", "-f", config], stdin=connection, stdout=connection,
                                      stderr=subprocess.PIPE, text=True)  # fmt: skip
        said = server.communicate()[1]
        client.wait()
        return [f"sshd[{server.pid}]: {line}" for line in said.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def guessed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """What sshd wrote of every way, by its name."""
    if PROGRAM is None or shutil.which("ssh") is None or shutil.which("ssh-keygen") is None:
        pytest.skip("sshd and ssh are not installed")
    if os.getuid() != 0:
        pytest.skip("only root's sshd asks PAM and for passwords")
    Path("/run/sshd").mkdir(exist_ok=True)
    guesser = Guessed(tmp_path_factory.mktemp("guesses"))
    with ThreadPoolExecutor(4) as pool:
        yield dict(zip(IDS, pool.map(guesser.messages, WAYS), strict=True))


def write(log: Path, messages: list[str]) -> None:
    when = datetime.now(UTC) - timedelta(minutes=5)
    log.write_text("".join(f"{when:%Y-%m-%dT%H:%M:%S}+00:00 host {message}\n" for message in messages))


def asked(log: Path) -> LoginFacts:
    question = SshLogins(Source(str(log)), 24, 9)
    fact = probe(Host(connection="local://"), frozenset([question]), Deadline(60))[question]
    assert not isinstance(fact, ProbeError), fact
    assert isinstance(fact, LoginFacts)
    return fact


def to_syslog(message: str) -> str:
    """As sshd writes it to syslog: what it logs as an error begins with that word there."""
    return re.sub(r"\]: (?=PAM: |maximum )", "]: error: ", message)


def to_busybox(message: str) -> str:
    """As BusyBox writes it: with facility and severity."""
    return message.replace("sshd[", "auth.info sshd[", 1)


@pytest.mark.parametrize("way", WAYS, ids=IDS)
@pytest.mark.parametrize("form", [str, to_syslog, to_busybox], ids=["stderr", "syslog", "busybox"])
def test_every_way_to_be_refused_counts(
    guessed: dict[str, list[str]], tmp_path: Path, way: Way, form: Callable[[str], str]
) -> None:
    write(tmp_path / "auth.log", [form(message) for message in guessed[way.name]])
    seen = asked(tmp_path / "auth.log")
    assert {client.address: client.failures for client in seen.clients} == {"127.0.0.1": way.count}, guessed[way.name]
    assert seen.failures == way.count


def test_connections_at_the_same_time_are_told_apart(guessed: dict[str, list[str]], tmp_path: Path) -> None:
    rows = [list(messages) for messages in guessed.values()]
    mixed = [row.pop(0) for _ in range(max(map(len, rows))) for row in rows if row]
    write(tmp_path / "auth.log", [to_syslog(message) for message in mixed])
    assert asked(tmp_path / "auth.log").failures == sum(way.count for way in WAYS)


@pytest.mark.parametrize(
    "message",
    [
        "error: maximum authentication attempts exceeded for root from 192.0.2.7 port {} ssh2 [preauth]",
        "Disconnecting authenticating user root 192.0.2.7 port {}: Too many authentication failures [preauth]",
    ],
)
@pytest.mark.parametrize("process", ["77", "{}"], ids=["one process", "a process each"])
def test_each_of_many_connections_counts(tmp_path: Path, message: str, process: str) -> None:
    write(tmp_path / "auth.log", [f"sshd[{process}]: {message}".replace("{}", str(40_000 + n)) for n in range(600)])
    assert asked(tmp_path / "auth.log").failures == 600


def test_a_login_is_no_failure(tmp_path: Path) -> None:
    write(tmp_path / "auth.log", [
        "sshd[7]: Connection from 192.0.2.7 port 4 on 10.0.0.1 port 22",
        "sshd[7]: Failed publickey for deploy from 192.0.2.7 port 4 ssh2: RSA SHA256:4qf0bM1nQxv7cEw2yKj9sTzHk3RdLuPoV",
        "sshd[7]: Accepted publickey for deploy from 192.0.2.7 port 4 ssh2: ED25519 SHA256:4qf0bM1nQxv7cEw2yKj9sTzHk3",
        "sshd[7]: Disconnected from user deploy 192.0.2.7 port 4",
        "sshd[7]: Connection closed by 198.51.100.4 port 9 [preauth]",
    ])  # fmt: skip
    assert (asked(tmp_path / "auth.log").failures, asked(tmp_path / "auth.log").accepted) == (0, 1)


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS, ids=IDS)
def test_fail2ban_sees_a_failure_wherever_we_do(guessed: dict[str, list[str]], tmp_path: Path, way: Way) -> None:
    program = shutil.which("fail2ban-regex")
    if program is None:
        pytest.skip("fail2ban is not installed")
    log = tmp_path / "auth.log"
    write(log, [to_syslog(message) for message in guessed[way.name]])
    # Its usual mode leaves out who offers keys, and goes away before he is told.
    done = subprocess.run([program, log, "sshd[mode=aggressive]"], capture_output=True, text=True, check=True)
    failures = re.search(r"Failregex: (\d+) total", done.stdout)
    assert failures and int(failures[1]) >= 1, done.stdout
