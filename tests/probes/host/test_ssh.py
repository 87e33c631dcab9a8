"""The host probe over a real sshd, within the suite's own process and by OpenSSH's client."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from opsverify.config.environment import Host
from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.probe import probe
from opsverify.probes.host.ssh import close_connections, left
from opsverify.probes.host.system.memory import Memory, MemoryUsage
from opsverify.probes.host.system.operating_system import OsRelease
from tests.pace import AMPLE, until

QUESTIONS = frozenset({Memory()})


@pytest.fixture(params=["any", "openssh"], autouse=True)
def client(request, monkeypatch):
    """Which client is asked for; with "any", that it was really our own."""
    monkeypatch.setattr(request.module, "CLIENT", request.param)
    left.forget()
    yield request.param
    if request.param == "any":
        assert not left.left_to_openssh()


CLIENT = "any"


def ask(config, name="server", seconds=AMPLE, questions=QUESTIONS):
    host = Host(connection=f"ssh://{name}", ssh_config=config, ssh_client=CLIENT)
    return probe(host, questions, Deadline(seconds))


def test_facts_arrive_and_the_connection_is_shared_then_closed(sshd, leftovers, client):
    config = sshd.config()
    before = (sshd.folder / "log").read_text().count("Accepted publickey")
    assert isinstance(ask(config)[Memory()], MemoryUsage)
    assert isinstance(ask(config)[Memory()], MemoryUsage)
    assert (sshd.folder / "log").read_text().count("Accepted publickey") == before + 1
    assert bool(leftovers(str(config))) is (client == "openssh")
    closed = (sshd.folder / "log").read_text().count("Received disconnect")
    close_connections()
    if client == "any":
        until(lambda: (sshd.folder / "log").read_text().count("Received disconnect") > closed)
    until(lambda: not leftovers(str(config)))


def test_the_clock_is_compared_within_the_round_trip(sshd):
    facts = ask(sshd.config(), questions=frozenset({OsRelease()}))[OsRelease()]
    assert abs(facts.clock_offset_seconds) <= facts.clock_uncertainty_seconds + 0.05


def test_an_unknown_host_key_is_refused(sshd):
    with pytest.raises(Unreachable, match="host key is unknown"):
        ask(sshd.config("unknown", UserKnownHostsFile="/dev/null"))


def test_no_configuration_turns_verification_off(sshd):
    config = sshd.config("careless", UserKnownHostsFile="/dev/null", StrictHostKeyChecking="no")
    with pytest.raises(Unreachable, match="host key is unknown"):
        ask(config)


def test_accept_new_is_respected(sshd):
    fresh = sshd.folder / "accepted_hosts"
    assert ask(sshd.config("new", UserKnownHostsFile=str(fresh), StrictHostKeyChecking="accept-new"))
    assert fresh.read_text()
    left.forget()  # only OpenSSH writes it down
    assert ask(sshd.config("known", UserKnownHostsFile=str(fresh), StrictHostKeyChecking="accept-new"))


def test_a_changed_host_key_is_refused(sshd):
    wrong = sshd.folder / "wrong_hosts"
    wrong.write_text(f"[127.0.0.1]:{sshd.port} {(sshd.folder / 'stranger.pub').read_text()}")
    config = sshd.config("changed", UserKnownHostsFile=str(wrong), StrictHostKeyChecking="accept-new")
    with pytest.raises(Unreachable, match="is not the one in known_hosts"):
        ask(config)


def test_a_refused_key_is_one_clear_sentence(sshd):
    with pytest.raises(Unreachable, match=r"SSH authentication refused \(it accepts: publickey\)"):
        ask(sshd.config("refused", IdentityFile=str(sshd.folder / "stranger")))


def test_a_jump_host_is_passed(sshd, leftovers):
    config = sshd.config("jump", text="Host server-far\n  ProxyJump server-bastion\n")
    assert isinstance(ask(config, "server-far")[Memory()], MemoryUsage)
    close_connections()
    until(lambda: not leftovers(str(config)))


def test_connection_refused_and_unknown_names(sshd):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="connection refused"):
            ask(sshd.config("closed", Port=str(closed.getsockname()[1])))
    with pytest.raises(Unreachable, match="was not resolved"):
        ask(sshd.config("nameless", HostName="no-such-host.invalid"))


def test_a_silent_peer_ends_at_the_deadline_and_leaves_nothing(sshd, leftovers):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        config = sshd.config("silent", Port=str(silent.getsockname()[1]))
        with pytest.raises(Unreachable, match="no answer within 2 s|the connection timed out"):
            ask(config, seconds=2)
    assert not leftovers(str(config))


def test_thirty_hosts_at_one_endpoint_are_all_reached(sshd):
    config = sshd.config("many")
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda i: ask(config, f"server-{i}", 40), range(30)))
    assert all(isinstance(answer[Memory()], MemoryUsage) for answer in answers)


def test_a_misspelt_configuration_is_named(sshd):
    with pytest.raises(ProbeError, match="ssh does not accept its configuration"):
        ask(sshd.config("misspelt", IdentityyFile="x"))


def test_a_login_that_talks_and_a_shell_that_is_not_posix(sshd):
    # The remote side of a forced command that greets first stands in for noisy profiles.
    authorized = sshd.folder / "authorized"
    plain = authorized.read_text()
    greeting = 'printf \'Welcome\\0\\033[1m %s\\n\' \\"$(head -c 100000 /dev/zero)\\"; eval \\"$SSH_ORIGINAL_COMMAND\\"'
    try:
        authorized.write_text(f'command="{greeting}" {plain}')
        assert isinstance(ask(sshd.config("noisy"), "server-noisy")[Memory()], MemoryUsage)
        authorized.write_text(f'command="echo This account is currently not available." {plain}')
        close_connections()
        with pytest.raises(ProbeError, match=r"it did not run the script|no login shell"):
            ask(sshd.config("nologin"), "server-nologin")
    finally:
        authorized.write_text(plain)


def test_a_connection_that_was_killed_is_replaced(sshd, masters_of, client):
    config = sshd.config("dying")
    ask(config)
    if client == "any":
        listening = subprocess.run(
            ["pgrep", "-f", f"{sshd.folder}/sshd_config"], capture_output=True, text=True, check=True
        )
        subprocess.run(["pkill", "-P", ",".join(listening.stdout.split())], check=True)
    else:
        for pid in masters_of(config):
            os.kill(pid, signal.SIGKILL)
    assert isinstance(ask(config)[Memory()], MemoryUsage)


@pytest.fixture
def masters_of():
    def pids(config) -> list[int]:
        result = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if str(config).encode() in path.read_bytes().split(b"\0"):
                    result.append(int(path.parent.name))
        assert result, f"no master for {config}"
        return result

    return pids
