"""Node.js processes, the host's addresses, and ports that are tried from here."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.question import Answer
from opsverify.probes.host.system.addresses import HostAddresses
from opsverify.probes.host.system.stopped import NodeProcesses
from opsverify.probes.tcp import port as tcp
from tests.pace import AMPLE

# As the script says it of a backend, of a front end whose checkout was replaced, and of another user's pnpm.
PROCESSES = b"""\
== process 712 node
cwd /srv/mycats/backend
command node dist/main\x20
== process 718 next-server (v1
cwd /srv/mycats/frontend (deleted)
command next-server (v15.1.2)\x20\x20
== process 900 MainThread
cwd\x20
command /usr/bin/node /usr/lib/node_modules/pnpm/bin/pnpm.cjs\x20
== end
"""
# Recorded: the local leaves of /proc/net/fib_trie, and /proc/net/if_inet6.
ADDRESSES = b"""\
== v4
127.0.0.1
192.0.2.2
== v6
fd000000000000000000000000000002 04 40 00 82     eth0
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
== end
"""
IP_ADDR = b"""\
== ip
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: eth0    inet6 fd00::2/64 scope global nodad \\       valid_lft forever preferred_lft forever
== end
"""


def test_node_processes_with_and_without_a_folder():
    first, second, third = NodeProcesses().parse(Answer(PROCESSES))
    assert (first.pid, first.name, first.command, first.folder) == (
        712,
        "node",
        "node dist/main",
        "/srv/mycats/backend",
    )
    assert first.within("/srv/mycats")
    assert not first.within("/srv/my")
    assert (second.name, second.folder) == ("next-server (v1", "/srv/mycats/frontend")
    assert third.folder is None
    assert not third.within("/")
    assert str(third) == "process 900 (/usr/bin/node /usr/lib/node_modules/pnpm/bin/pnpm.cjs)"
    assert NodeProcesses().parse(Answer(b"== end\n")) == ()


def test_a_checkout_is_known_by_its_links_and_by_what_runs_of_it():
    output = PROCESSES.replace(b"/srv/mycats/", b"/srv/mycats/releases/42/").replace(
        b"== end", b"== process 901 node\ncwd /\ncommand node /srv/mycats/current/../current/x.js\n"
        b"file /srv/mycats/current/../current/x.js\nfile /srv/mycats/releases/42/x.js\nfile /home/s3cret\n== end",
    )  # fmt: skip
    question = NodeProcesses(("/srv/mycats/current",))
    first, second, third, fourth = question.parse(Answer(b"== checkout /srv/mycats/releases/42\n" + output))
    assert first.within("/srv/mycats/current/backend")
    assert first.where == "works in /srv/mycats/releases/42/backend"
    assert second.within("/srv/mycats/current/frontend")
    assert not third.within("/srv/mycats/current")
    assert fourth.where == "runs /srv/mycats/current/x.js"
    assert "s3cret" not in repr(fourth)
    with pytest.raises(MissingPrivilege):
        question.parse(Answer(b"== checkout \n== end\n", errors="ls: /srv/mycats/current: Permission denied"))
    assert question.parse(Answer(b"== checkout \n== end\n", errors="ls: No such file or directory")) == ()


def test_addresses_from_either_source():
    assert HostAddresses().parse(Answer(ADDRESSES)) == (
        "127.0.0.1", "192.0.2.2", "::1", "fd00::2", "fe80::fc:ff:fe00:1",
    )  # fmt: skip
    assert HostAddresses().parse(Answer(IP_ADDR)) == ("127.0.0.1", "fd00::2")


@pytest.mark.parametrize("question", [NodeProcesses(), HostAddresses()])
@given(noise=st.binary(max_size=80), cut=st.integers(0, 300))
def test_any_answer_is_a_fact_or_a_reason(question, noise, cut):
    whole = PROCESSES if isinstance(question, NodeProcesses) else ADDRESSES
    for output in (noise, whole[:cut], whole[:cut] + noise, noise + whole):
        with contextlib.suppress(ProbeError):
            question.parse(Answer(output))


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_scripts_on_this_machine(shell, tmp_path):
    try:
        subprocess.run([*shell.split(), "-c", "true"], check=True)
    except OSError:
        pytest.skip(f"no {shell} here")

    def ask(question):
        done = subprocess.run([*shell.split(), "-c", question.script()], capture_output=True, check=False)
        return question.parse(Answer(done.stdout, done.returncode, done.stderr.decode()))

    assert "127.0.0.1" in ask(HostAddresses())
    rename = "ctypes.CDLL(None).prctl(15, b'next-server (v1', 0, 0, 0)"
    program = f"import ctypes, time; {rename}; print(flush=True); time.sleep(60)"
    (tmp_path / "42").mkdir()
    current = tmp_path / "current"
    current.symlink_to("42")
    (current / "main.py").write_text(program)
    for script, cwd in (("main.py", current), (current / "main.py", "/"), (tmp_path / "42" / "main.py", "/")):
        with subprocess.Popen([sys.executable, script], cwd=cwd, stdout=subprocess.PIPE) as named:
            assert named.stdout is not None
            named.stdout.readline()
            result = {process.pid: process for process in ask(NodeProcesses((str(current), f"{tmp_path}/none")))}
            named.kill()
        assert result[named.pid].within(str(current))
        assert result[named.pid].within(f"{current}/main.py")


def test_tcp_checks():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        opened = tcp.PortCheck("localhost", port)
        assert tcp.probe(None, frozenset({opened}), Deadline(AMPLE))[opened].state == "open"
    assert tcp.probe(None, frozenset({opened}), Deadline(AMPLE))[opened] == tcp.PortState(
        "refused", f"localhost:{port}: connection refused"
    )
    lost, nowhere = tcp.PortCheck("nowhere.invalid", 3004), tcp.PortCheck(None, 3004)
    message = tcp.probe(None, frozenset({lost, nowhere}), Deadline(AMPLE))
    assert {connection.state for connection in message.values()} == {"unknown"}
    assert "nowhere.invalid:3004" in message[lost].reason
