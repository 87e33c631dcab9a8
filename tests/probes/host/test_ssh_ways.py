"""The many ways of an ssh_config, through a real sshd: within the suite's own process and by OpenSSH's client."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from opsverify.config.environment import Host
from opsverify.errors import Unreachable
from opsverify.evidence.collect import collect
from opsverify.evidence.deadline import Deadline
from opsverify.evidence.query import Query
from opsverify.probes.host.connection import connect
from opsverify.probes.host.probe import probe
from opsverify.probes.host.ssh import close_connections, configuration, in_process, left
from opsverify.probes.host.system.memory import Memory
from opsverify.probes.host.system.operating_system import OsRelease
from rehearsal.errors import NotAvailable
from rehearsal.sshd import Sshd, running
from tests.pace import AMPLE, HANGS, SOON, until

KEYS = {"rsa": ("-b", "2048"), "ecdsa": (), "ed25519": ()}


def keygen(path: Path, kind: str = "ed25519", passphrase: str = "", *more: str) -> Path:
    command = ["ssh-keygen", "-q", "-t", kind, *KEYS[kind], "-N", passphrase, "-f", path, *more]
    subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An sshd with host keys of every kind, that listens on IPv6, too, and trusts an authority for users."""
    folder = tmp_path_factory.mktemp("ways")
    more = [f"HostKey {keygen(folder / f'host_{kind}', kind)}" for kind in KEYS if kind != "ed25519"]
    more += [f"TrustedUserCAKeys {keygen(folder / 'authority')}.pub", "MaxStartups 10:30:100", "ListenAddress ::1"]
    try:
        with running(folder, more="\n".join(more)) as sshd:
            (folder / "host_ed25519.pub").write_text((folder / "host.pub").read_text())
            yield sshd
    except NotAvailable as reason:
        pytest.skip(str(reason))
    finally:
        close_connections()


@pytest.fixture(params=["any", "openssh"])
def client(request: pytest.FixtureRequest) -> Iterator[str]:
    left.forget()
    yield request.param
    close_connections()


@pytest.fixture
def reached(server: Sshd, client: str, tmp_path: Path) -> Callable[..., None]:
    """Asks a host, once, over a connection of its own; `because`: why, where it must be left to OpenSSH."""

    def ask(text: str = "", name: str = "server", because: str = "", seconds: float = AMPLE, **options: str) -> None:
        close_connections()
        configuration._known.clear()
        config = server.config(f"{tmp_path.name}-{time.monotonic_ns()}", text, **options)
        host = Host(connection=f"ssh://{name}", ssh_config=config, ssh_client=client)
        assert probe(host, frozenset({Memory()}), Deadline(seconds))[Memory()].total_bytes
        why = list(left.left_to_openssh())
        assert why == ([because] if because and client == "any" else []), why

    return ask


@pytest.fixture
def authorized(server: Sshd) -> Iterator[Callable[[Path], None]]:
    """Let a key log in, for one test."""
    file = server.folder / "authorized"
    before = file.read_text()
    yield lambda key: file.write_text(before + Path(f"{key}.pub").read_text()) and None
    file.write_text(before)


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An agent without keys."""
    path = tmp_path_factory.mktemp("a") / "s"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    end = time.monotonic() + AMPLE
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.01)
    yield
    process.terminate()
    process.wait(HANGS)


def known(server: Sshd, text: str, name: str = "hosts") -> str:
    path = server.folder / f"{name}-{time.monotonic_ns()}"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("kind", KEYS)
def test_host_keys_and_user_keys_of_every_kind(server, reached, authorized, tmp_path, kind):
    key = keygen(tmp_path / "key", kind)
    authorized(key)
    hosts = known(server, f"[127.0.0.1]:{server.port} {(server.folder / f'host_{kind}.pub').read_text()}")
    reached(IdentityFile=str(key), UserKnownHostsFile=hosts)


def test_keys_of_an_agent(server, reached, authorized, agent, tmp_path):
    key = keygen(tmp_path / "key", passphrase="open sesame")
    authorized(key)
    with pytest.raises(Unreachable, match="SSH authentication refused"):
        reached(IdentityFile=str(key))
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "open sesame", "-N", "", "-f", key], check=True)
    subprocess.run(["ssh-add", "-q", key], check=True)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "open sesame", "-f", key], check=True)
    reached(IdentityFile=str(key), IdentitiesOnly="no")
    reached(IdentityFile=str(key), IdentitiesOnly="yes")
    reached(IdentityFile=f"{key}.pub", IdentitiesOnly="yes")
    with pytest.raises(Unreachable, match="SSH authentication refused"):
        reached(IdentityFile=str(server.folder / "stranger"), IdentitiesOnly="yes")
    with pytest.raises(Unreachable, match="SSH authentication refused"):
        reached(IdentityFile=str(key), IdentityAgent="none")


def test_a_key_that_is_not_the_first_of_many(server, reached, authorized, agent, tmp_path):
    """sshd ends the connection after six keys: OpenSSH offers the agent's key of the file first."""
    for n in range(8):
        subprocess.run(["ssh-add", "-q", keygen(tmp_path / f"other{n}")], check=True)
    key = keygen(tmp_path / "key")
    authorized(key)
    subprocess.run(["ssh-add", "-q", key], check=True)
    reached(IdentityFile=str(key), IdentitiesOnly="no")


def test_a_certificate_of_a_user(server, reached, tmp_path):
    key = keygen(tmp_path / "key")
    sign = ["ssh-keygen", "-q", "-s", server.folder / "authority", "-I", "id", "-n", getpass.getuser()]
    subprocess.run([*sign, f"{key}.pub"], check=True)
    reached(IdentityFile=str(key))


def test_a_certificate_of_a_host(client, tmp_path):
    authority, key = keygen(tmp_path / "authority"), keygen(tmp_path / "signed", "ecdsa")
    sign = ["ssh-keygen", "-q", "-s", authority, "-I", "id", "-h", "-n", "127.0.0.1,a.example"]
    subprocess.run([*sign, f"{key}.pub"], check=True)
    with running(tmp_path, more=f"HostKey {key}\nHostCertificate {key}-cert.pub") as sshd:

        def reached(names: str, **options: str) -> None:
            close_connections()
            configuration._known.clear()
            (tmp_path / "hosts").write_text(f"@cert-authority {names} {Path(f'{authority}.pub').read_text()}")
            config = sshd.config(UserKnownHostsFile=str(tmp_path / "hosts"), **options)
            host = Host(connection="ssh://server", ssh_config=config, ssh_client=client)
            assert probe(host, frozenset({Memory()}), Deadline(AMPLE))

        for names in (f"[127.0.0.1]:{sshd.port}", "127.0.0.1", "*"):
            reached(names)
        assert not left.left_to_openssh()
        with pytest.raises(Unreachable, match="host key"):
            reached("other.example")
        for options in (
            {"HostKeyAlias": "other.example"},
            {"HostKeyAlgorithms": "ecdsa-sha2-nistp256"},
            {"CASignatureAlgorithms": "ecdsa-sha2-nistp256"},
        ):
            with pytest.raises(Unreachable, match="host key"):
                reached("*", **options)
        close_connections()


def test_a_certificate_that_an_authority_signed_by_sha1_is_refused(client, tmp_path):
    authority, key = keygen(tmp_path / "authority", "rsa"), keygen(tmp_path / "signed", "ecdsa")
    sign = ["ssh-keygen", "-q", "-t", "ssh-rsa", "-s", authority, "-I", "id", "-h", "-n", "127.0.0.1"]
    subprocess.run([*sign, f"{key}.pub"], check=True)
    more = f"HostKey {key}\nHostCertificate {key}-cert.pub\nCASignatureAlgorithms +ssh-rsa"
    with running(tmp_path, more=more) as sshd:
        (tmp_path / "hosts").write_text(f"@cert-authority * {Path(f'{authority}.pub').read_text()}")
        config = sshd.config(UserKnownHostsFile=str(tmp_path / "hosts"))
        host = Host(connection="ssh://server", ssh_config=config, ssh_client=client)
        with pytest.raises(Unreachable, match="host key"):
            probe(host, frozenset({Memory()}), Deadline(AMPLE))


@pytest.mark.parametrize("more", ["HostKeyAlgorithms ssh-rsa", ""])
def test_an_rsa_host_key_is_held_to_algorithm_and_length(more, client, tmp_path):
    key = keygen(tmp_path / "rsa", "rsa")
    with running(tmp_path, more=f"HostKey {key}\n{more}") as sshd:
        (tmp_path / "hosts").write_text(f"* {Path(f'{key}.pub').read_text()}")
        long = {} if more else {"RequiredRSASize": "4096"}
        config = sshd.config(UserKnownHostsFile=str(tmp_path / "hosts"), **long)
        host = Host(connection="ssh://server", ssh_config=config, ssh_client=client)
        with pytest.raises(Unreachable):
            probe(host, frozenset({Memory()}), Deadline(AMPLE))


def test_files_of_host_keys_may_have_spaces_in_their_names(server, reached):
    good = (server.folder / "known_hosts").read_text()
    plain = known(server, good, "plain")
    Path(f"{plain} of old").write_text("")
    with pytest.raises(Unreachable, match="host key"):
        reached(UserKnownHostsFile=f'"{plain} of old"')
    Path(f"{plain} of old").write_text(good)
    reached(UserKnownHostsFile=f'"{plain} of old"', because="userknownhostsfile")


def test_host_keys_are_looked_up_as_openssh_does(server, reached):
    key = (server.folder / "host.pub").read_text()
    plain = known(server, f"[127.0.0.1]:{server.port} {key}")
    reached(UserKnownHostsFile=plain)
    hashed = known(server, Path(plain).read_text())
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", hashed], check=True, capture_output=True)
    assert "127.0.0.1" not in Path(hashed).read_text()
    reached(UserKnownHostsFile=hashed)
    reached(UserKnownHostsFile=known(server, f"nonsense\n|1|x|y ssh-ed25519 z\n# note\n\n{Path(plain).read_text()}"))
    reached(UserKnownHostsFile=f"/nowhere/hosts {plain}")
    reached(UserKnownHostsFile=known(server, f"127.0.0.1 {key}"))  # without a port: any
    reached(UserKnownHostsFile=known(server, f"the-alias {key}"), HostKeyAlias="the-alias")
    reached(UserKnownHostsFile=known(server, f"127.0.* {key}"))
    for text in (
        f"@revoked * {key}\n{Path(plain).read_text()}",
        f"[127.0.0.1]:{server.port} {(server.folder / 'stranger.pub').read_text()}",
        f"[127.0.0.1]:{server.port + 1} {key}",
        f"!127.0.0.1,127.0.* {key}",
        "",
    ):
        with pytest.raises(Unreachable, match="host key"):
            reached(UserKnownHostsFile=known(server, text))
    for text in (
        f"127.0.0.0/8 {key}",  # which is a name to OpenSSH
        f"@revoked [127.0.0.1]:{server.port} {key}127.0.0.1 {key}",
        f"[127.0.0.1]:{server.port} {(server.folder / 'stranger.pub').read_text()}127.0.0.1,a* {key}",
    ):
        with pytest.raises(Unreachable, match="host key"):
            reached(UserKnownHostsFile=known(server, text))
    reached(UserKnownHostsFile=known(server, f"10.0.0.0/8,[127.0.0.1]:{server.port} {key}"))
    # Known for the address that the name has now is not known for the name.
    with pytest.raises(Unreachable, match="host key"):
        reached(UserKnownHostsFile=plain, HostName="localhost", AddressFamily="inet")


def test_a_key_that_others_may_read_is_not_used(server, reached, authorized, tmp_path):
    key = keygen(tmp_path / "key")
    authorized(key)
    key.chmod(0o644)
    with pytest.raises(Unreachable, match="readable by others"):
        reached(IdentityFile=str(key))


def test_ipv6_and_ways_through_other_hosts(server, reached):
    key = (server.folder / "host.pub").read_text()
    hosts = known(server, f"[127.0.0.1]:{server.port},[::1]:{server.port} {key}")
    more = {"UserKnownHostsFile": hosts}
    reached(HostName="::1", **more)
    here = f"  HostName 127.0.0.1\n  Port {server.port}\n  IdentityFile {server.folder}/user\n"
    here += f"  UserKnownHostsFile {hosts}\n"
    reached(f"Host b1 b2 b3\n{here}\nHost server-far\n  ProxyJump b1,b2,b3\n", "server-far", **more)
    reached(
        f"Host b1\n{here}\nHost b2\n  ProxyJump b1\n{here}\nHost server-far\n  ProxyJump b2\n", "server-far", **more
    )
    reached(f"Host b1\n  ProxyJump none\n{here}\nHost *\n  ProxyJump b1\n", **more)
    reached(f"Host server-far\n  ProxyJump [::1]:{server.port}\nHost ::1\n{here}", "server-far", **more)


def test_what_is_behind_a_bastion_and_not_there(server, reached, client):
    hosts = known(server, f"* {(server.folder / 'host.pub').read_text()}")
    # OpenSSH says no more than that the connection ended, and so is tried until the deadline.
    said = "connection refused" if client == "any" else "closed the connection|no answer within 4 s"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        text = f"Host server-far\n  ProxyJump server\n  Port {closed.getsockname()[1]}\n"
        with pytest.raises(Unreachable, match=said):
            reached(text, "server-far", seconds=4, UserKnownHostsFile=hosts)


def test_a_bastion_that_forwards_nothing(client, tmp_path):
    with running(tmp_path, more="AllowTcpForwarding no") as sshd:
        config = sshd.config(text="Host server-far\n  ProxyJump server\n")
        host = Host(connection="ssh://server-far", ssh_config=config, ssh_client=client)
        said = "does not allow forwarding" if client == "any" else "closed the connection|no answer within 4 s"
        with pytest.raises(Unreachable, match=said):
            probe(host, frozenset({Memory()}), Deadline(4))
        close_connections()


def test_a_bastion_whose_name_is_not_resolved(server, reached, client):
    text = f"Host b\n  HostName nowhere.invalid\n  IdentityFile {server.folder}/user\n"
    text += f"  UserKnownHostsFile {known(server, '* ' + (server.folder / 'host.pub').read_text())}\n"
    said = "the name nowhere.invalid was not resolved" if client == "any" else "closed the connection"
    with pytest.raises(Unreachable, match=said):
        reached(f"{text}Host server-far\n  ProxyJump b\n", "server-far", seconds=4)


def test_two_hundred_hosts_behind_one_bastion(client, tmp_path):
    """One connection to it serves them all; OpenSSH makes one for each, a few at a time."""
    count = 200 if client == "any" else 20
    with running(tmp_path, listen="0.0.0.0", more="MaxStartups 10:30:100") as sshd:
        here = f"Port {sshd.port}\n  IdentityFile {tmp_path}/user\n  UserKnownHostsFile {tmp_path}/many"
        (tmp_path / "many").write_text(f"* {(tmp_path / 'host.pub').read_text()}")
        text = f"Host bastion\n  HostName 127.0.0.1\n  {here}\nHost 127.2.*\n  ProxyJump bastion\n  {here}\n"
        config = sshd.config(text=text)
        queries = [
            Query(probe, Host(name=f"h{n}", connection=f"ssh://127.2.0.{n}", ssh_config=config, ssh_client=client), one)
            for n in range(1, count + 1)
            for one in (Memory(), OsRelease())
        ]
        evidence = collect(queries)
        for query in queries:
            assert evidence.of(query)
        close_connections()
        logins = (tmp_path / "log").read_text().count("Accepted publickey")
        assert logins == (count + 1 if client == "any" else 2 * count)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"ProxyCommand": "bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & exec cat >&3'"}, "proxycommand"),
        ({"KexAlgorithms": "diffie-hellman-group16-sha512"}, "kexalgorithms"),
        ({"KexAlgorithms": "sntrup761x25519-sha512@openssh.com"}, "kexalgorithms"),
        ({"SetEnv": "A=b"}, "setenv"),
        ({"CheckHostIP": "yes"}, "checkhostip"),
    ],
)
def test_what_only_openssh_understands_is_left_to_it(reached, options, why):
    reached(because=why, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"Ciphers": "aes256-gcm@openssh.com"},
        {"Ciphers": "aes128-ctr", "MACs": "hmac-sha2-512"},
        {"KexAlgorithms": "ecdh-sha2-nistp384"},
        {"Compression": "yes"},
        {"HostKeyAlgorithms": "ssh-ed25519"},
    ],
)
def test_algorithms_are_those_that_the_configuration_allows(reached, options):
    reached(**options)


def test_a_host_key_of_a_kind_that_is_not_allowed_is_refused(reached):
    with pytest.raises(Unreachable, match="host key"):
        reached(HostKeyAlgorithms="ecdsa-sha2-nistp256", CASignatureAlgorithms="ssh-ed25519")


def test_output_of_any_length_arrives_whole_however_slowly_it_is_read(server, client):
    host = Host(connection="ssh://server", ssh_config=server.config("stream"), ssh_client=client)
    seen, count, most = hashlib.sha256(), 0, 0

    def sink(piece: bytes) -> None:
        nonlocal count, most
        if count == 0:
            time.sleep(1.0)  # more would have come than may wait
        seen.update(piece)
        count += len(piece)

    script = "head -c 60000000 /dev/zero | tr '\\0' x; printf '%s' end; printf oops >&2; exit 3"
    done = connect(host).stream(script, Deadline(AMPLE), sink)
    assert (done.status, done.errors, count) == (3, b"oops", 60_000_003)
    assert seen.digest() == hashlib.sha256(b"x" * 60_000_000 + b"end").digest()


def test_a_command_that_does_not_end_is_ended(server, client):
    host = Host(connection="ssh://server", ssh_config=server.config("endless"), ssh_client=client)
    connection = connect(host)
    mark = f"31{time.monotonic_ns() % 10**7}"
    done = connection.run(f"printf early; sleep {mark}", Deadline(1.5))
    assert (done.timed_out, done.output) == (True, b"early")
    done = connection.run("while :; do echo 0123456789; done", Deadline(AMPLE))
    assert done.overflowed
    assert connection.run("printf well", Deadline(AMPLE)).output == b"well"


def test_commands_that_were_given_up_keep_no_other_from_running(server, client):
    """sshd counts their sessions until they end by themselves, and takes ten of a connection."""
    host = Host(connection="ssh://server", ssh_config=server.config("given-up"), ssh_client=client)
    with ThreadPoolExecutor(10) as pool:
        given_up = list(pool.map(lambda _: connect(host).run("sleep 31", Deadline(1.5)).timed_out, range(10)))
    assert given_up == [True] * 10
    assert connect(host).run("printf well", Deadline(8)).output == b"well"


@pytest.mark.parametrize("more", ["MaxSessions 1", "MaxStartups 2:100:3"])
def test_an_sshd_that_takes_little_at_once(more, client, tmp_path):
    with running(tmp_path, more=more) as small:
        config = small.config()

        def ask(n: int) -> bytes:
            host = Host(connection=f"ssh://server-{n % 4}", ssh_config=config, ssh_client=client)
            return connect(host).run("sleep 0.2; printf well", Deadline(AMPLE)).output

        with ThreadPoolExecutor(12) as pool:
            assert list(pool.map(ask, range(12))) == [b"well"] * 12
        close_connections()


def late(port: int, seconds: float, over: threading.Event) -> int:
    """A port that leads to another one, but `seconds` after somebody came."""

    def lead(near: socket.socket) -> None:
        over.wait(seconds)
        with near, socket.create_connection(("127.0.0.1", port)) as far:
            back = threading.Thread(target=carry, args=(far, near), daemon=True)
            back.start()
            carry(near, far)
            back.join()

    def carry(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                threading.Thread(target=lead, args=(listener.accept()[0],), daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


@pytest.mark.parametrize("names", [("server", "server"), ("server-1", "server-2")])
def test_who_has_little_time_takes_none_from_others(server, client, names):
    """They share a connection, or that to their bastion, which comes too late for the first of them."""
    over = threading.Event()
    slow = late(server.port, 3.0, over)
    hosts = known(server, f"* {(server.folder / 'host.pub').read_text()}")
    more = {"UserKnownHostsFile": hosts}
    text = f"Host server\n  Port {slow}\nHost server-*\n  ProxyJump server\n"
    config = server.config(f"late-{client}-{names[0]}", text, **more)
    first, second = (connect(Host(connection=f"ssh://{name}", ssh_config=config, ssh_client=client)) for name in names)
    with ThreadPoolExecutor(2) as pool:
        hasty = pool.submit(first.run, "printf well", Deadline(1.0))
        time.sleep(0.3)
        assert second.run("printf well", Deadline(AMPLE)).output == b"well"
        with pytest.raises(Unreachable, match="no answer within 1 s"):
            hasty.result()
    over.set()
    close_connections()


def test_what_is_given_up_while_it_is_opened_is_not_left_behind(server):
    """Whatever the moment at which a deadline comes: at the end nobody uses the connection."""
    host = Host(connection="ssh://server", ssh_config=server.config("hasty"))
    connection = connect(host)
    assert connection.run("printf well", Deadline(AMPLE)).output == b"well"

    def ask(n: int) -> None:
        with contextlib.suppress(Unreachable):
            connection.run("printf well", Deadline(0.001 * n))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(1, 200)))
    ours = in_process.client()
    shared = list(ours._shared.values())
    spent = [one for _, one in ours._spent]
    until(lambda: not any(one.users for one in [*shared, *spent]), SOON)
    # OpenSSH's sshd takes ten sessions on a connection: on one that is still used there is none that it still holds.
    standing = [one.task.result() for one in shared if one.task.done() and not one.ended]
    until(lambda: not any(connection._channels for connection in standing), SOON)
    close_connections()


def test_connections_may_be_closed_while_they_are_used(server, client):
    """As at the end of a run that is interrupted: nobody waits for ever."""
    host = Host(connection="ssh://server", ssh_config=server.config("closing"), ssh_client=client)
    connection = connect(host)
    results: list[object] = []

    def ask() -> None:
        try:
            results.append(connection.run("sleep 20", Deadline(AMPLE)).status)
        except Exception as error:
            results.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(1.0)
    close_connections()
    asking.join(10)
    assert not asking.is_alive()
    assert results
    assert results != [0]
