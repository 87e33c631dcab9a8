"""Parsers as pure functions, on recorded output and on samples of other systems (said to be samples)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.causes import explain
from opsverify.probes.host.files.archives import ArchiveContents
from opsverify.probes.host.files.dumps import DatabaseDumps, marked
from opsverify.probes.host.files.listing import FileListing
from opsverify.probes.host.probe import judge
from opsverify.probes.host.question import Answer
from opsverify.probes.host.release.migrations import Migrations
from opsverify.probes.host.system.cpu import Cpu
from opsverify.probes.host.system.filesystems import Filesystems
from opsverify.probes.host.system.memory import Memory
from opsverify.probes.host.system.operating_system import OsRelease
from opsverify.probes.host.system.process_environment import ProcessEnvironment
from opsverify.probes.host.system.process_version import ProcessExecutableVersion
from opsverify.probes.host.system.secret import database_address, strength
from opsverify.probes.host.system.service_listens import ServiceListens
from opsverify.probes.host.system.services import ServiceState
from opsverify.probes.host.system.sockets import ListeningSockets
from opsverify.probes.host.system.versions import CommandVersion, version_of

RECORDED = Path(__file__).parent / "recorded"
ALL = [
    Memory(), Cpu(), Filesystems(), Filesystems(only=("/",)), ServiceState(unit="nginx"), ServiceState(pid_file="/p"),
    ProcessEnvironment(unit="a"), ProcessExecutableVersion(unit="a"), ListeningSockets(), ServiceListens(unit="a", port=1),
    CommandVersion("node"), DatabaseDumps("/b"), FileListing("/b"), ArchiveContents("/b"), Migrations("/c"), OsRelease(),
]  # fmt: skip


def answer(text: str, **more) -> Answer:
    return Answer(text.encode(), **more)


# Pieces that real answers are made of, so that random ones get past the first test of each parser.
PIECES = st.sampled_from([
    "== units\n", "== clock 1795568065 99.5\n", "== pid 12\n", "== stat\n", "== folder /b\n", "== files\n", "== end\n",
    "== fs /dev/sda1 / ext4\n", "== status 0\n", "== inodes\n", "== sockets\n", "== owners\n", "== family\n", "== names\n",
    "== first\ncpu 1 2 3 4\n", "== second\ncpu 1 2 3 9\n", "== load\n0.1 0.2 0.3 1/2 3\n", "== before\n", "== open\n",
    "== head x\n00\n", "== tail x\n", "== process 1\n", "== exe /usr/bin/node\n", "== version\n", "v20.1.0\n", "Id=a.service\n",
    "ActiveState=active\n", "MainPID=x\n", "1795568065 10 640 root 0 ./x\n", "/dev/sda1 10 5 5 50% /\n", "MemTotal: 5 kB\n",
    "0100007F:0BBC 0 0\n", "== kernel x\n", "== hostname h\n", "== release\nID='x\n", "== envfile /e\n A='b\n", "== sums\n",
    "== migrations m\n", "== empty\n", "== unpack 0\n", "== list 0\n", "== members 3\n", "== file\n", "== unit\nA=\"\n",
    "1 (a) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 99999999999999999999\n", "== boot 9\n", "== ticks 0\n", "== written 3\n",
])  # fmt: skip


@pytest.mark.parametrize("question", ALL, ids=lambda q: type(q).__name__)
@given(data=st.one_of(st.binary(max_size=300), st.lists(st.one_of(PIECES, st.text(max_size=8))).map(
    lambda parts: "".join(parts).encode("utf-8", "replace"))), status=st.sampled_from([0, 1]))  # fmt: skip
def test_whatever_a_host_says_is_a_fact_or_a_probe_error(question, data, status):
    try:
        question.parse(Answer(data, status, data.decode("utf-8", "replace")))
    except ProbeError as error:
        assert str(error)


@pytest.mark.parametrize("question", ALL, ids=lambda q: type(q).__name__)
def test_no_answer_is_never_a_fact(question):
    assert isinstance(judge(question, Answer(b"", 1, "sh: x: Permission denied")), ProbeError)


def test_memory_recorded_on_debian_12():
    facts = Memory().parse(Answer((RECORDED / "debian12-meminfo.txt").read_bytes()))
    assert facts.total_bytes > facts.available_bytes > 0
    assert facts.swap_total_bytes == 0
    assert 0 < facts.used_percent < 100


def test_memory_of_a_kernel_without_memavailable():  # sample: RHEL 6
    text = "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 300 kB\nShmem: 40 kB\nSReclaimable: 40 kB\n"
    facts = Memory().parse(answer(text + "SwapTotal: 200 kB\nSwapFree: 150 kB\n"))
    assert facts.available_bytes == 450 * 1024
    assert facts.used_percent == pytest.approx(55)
    assert facts.swap_used_percent == pytest.approx(25)


@pytest.mark.parametrize("text", ["MemTotal: x kB\nMemAvailable: 5 kB", "MemTotal: 0 kB\nMemAvailable: 0 kB", "",
                                  "MemTotal: 1.000 kB\nMemAvailable: 5 kB", "MemTotal: 5 kB\nMemAvailable: 9 kB"])  # fmt: skip
def test_memory_that_makes_no_sense_is_not_zero(text):
    with pytest.raises(ProbeError):
        Memory().parse(answer(text))


def test_cpu_counts_waiting_as_idle_and_guests_once():
    text = (
        "== first\ncpu  100 0 100 800 0 0 0 0 50 0\n== second\ncpu  150 0 120 900 30 0 0 0 100 0\ncpu0 1 1\ncpu1 1 1\n"
    )
    facts = Cpu().parse(answer(text + "== load\n0.50 0.40 0.30 1/200 999\n"))
    assert facts.busy_percent == pytest.approx(35)
    assert facts.cores == 2
    assert facts.load_5 == 0.4


def fs(*parts: str) -> str:
    return "== mounts\n" + "".join(parts) + "== end\n"


HEAD = "Filesystem 1024-blocks Used Available Capacity Mounted on\n"


def one(device="/dev/sda1", mount="/", kind="ext4", line=None, status="0", inodes="100 25 75 25%"):
    line = line or f"{device} 1000 600 200 75% {mount}\n"
    return (f"== fs {device} {mount} {kind}\n{HEAD}{line}== status {status}\n== inodes\nFilesystem Inodes IUsed IFree "
            f"IUse% Mounted on\n{device} {inodes} {mount}\n")  # fmt: skip


def test_filesystems_count_as_df_does():
    (root,) = Filesystems().parse(answer(fs(one())))
    assert root.used_percent == pytest.approx(75)
    assert root.inodes_used_percent == 25
    assert root.size_bytes == 1_024_000


def test_filesystems_of_wrapped_lines_spaces_bind_mounts_and_none():
    wrapped = "/dev/mapper/very-long\n                    1000 600 200 75% /\n"
    (root,) = Filesystems().parse(answer(fs(one(line=wrapped))))
    assert root.used_percent == pytest.approx(75)
    spaced = one(
        "//nas/my\\040share", "/mnt/my\\040share", "cifs", "//nas/my share 10 1 9 10% /mnt/my share\n", inodes="0 0 0 -"
    )
    bound = one(mount="/srv/bind")
    result = Filesystems().parse(answer(fs(one(), bound, spaced)))
    assert [f.mount for f in result] == ["/", "/mnt/my share"]
    assert result[1].inodes_used_percent is None


def test_a_dead_mount_is_a_problem_of_its_own():
    dead = one("nas:/x", "/mnt/nas", "nfs4", "\n", status="124")
    root, nas = Filesystems().parse(answer(fs(one(), dead)))
    assert root.problem is None
    assert nas.problem == "/mnt/nas did not answer within 3 s"
    assert nas.used_percent is None


WRAPPER = (RECORDED / "debian12-postgresql-cluster-failed.txt").read_text()


def test_debians_postgresql_wrapper_does_not_hide_its_failed_cluster():  # recorded: Debian 12, systemd 252
    status = ServiceState(unit="postgresql").parse(answer(WRAPPER))
    assert status.main.active
    assert status.main.sub_state == "exited"
    assert status.instances[0].active_state == "failed"
    assert not status.running
    assert status.enabled


def test_wrapper_without_an_instance_is_hollow():
    text = "== clock 1 2\n== units\nId=postgresql.service\nLoadState=loaded\nActiveState=active\nSubState=exited\n"
    status = ServiceState(unit="postgresql").parse(answer(text))
    assert (status.running, status.hollow) == (True, True)
    assert not ServiceState(unit="postgresql").parse(answer(WRAPPER)).hollow


def test_an_old_systemd_says_when_in_its_own_way():  # sample: RHEL 8, systemd 239
    text = (
        "== clock 1795568065 5000.00\n== units\nId=x.service\nLoadState=loaded\nActiveState=active\nSubState=running\n"
    )
    text += "ActiveEnterTimestamp=Wed 2026-11-25 00:00:00 UTC\nActiveEnterTimestampMonotonic=1000000\nMainPID=7\n"
    status = ServiceState(unit="x").parse(answer(text))
    assert status.main.active_since.timestamp() == 1795568065 - 5000 + 1
    assert status.restarts is None


def test_a_unit_that_does_not_exist_is_a_fact_and_no_systemd_is_not():
    text = "== clock 1 2\n== units\nId=x.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nMainPID=0\n"
    assert not ServiceState(unit="x").parse(answer(text)).exists
    with pytest.raises(ProbeError, match="no systemd"):
        ServiceState(unit="x").parse(answer("== nosystemd\n"))


@pytest.mark.parametrize(("text", "status"), [("return 1", 3), ("echo MainPID=0", 0)])
def test_a_port_is_not_judged_where_systemd_does_not_say_whose_it_is(text, status):
    question = ServiceListens(unit="x", port=1)
    script = f"systemctl() {{ {text}; }}\n{''.join(helper.text for helper in question.helpers)}\n{question.script()}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == status
    fact = judge(question, Answer(done.stdout.encode(), done.returncode, done.stderr))
    assert isinstance(fact, ProbeError) == bool(status)


def test_sockets_of_both_families():
    text = "== sockets\n0100007F:0BBC 11 0\n00000000:1538 12 70\n00000000000000000000000001000000:0BBC 13 0\n"
    text += "0000000000000000FFFF00000100007F:0050 14 0\n== owners\n77 11\n78 11\n"
    result = ListeningSockets().parse(answer(text))
    assert [(s.address, s.port, s.owner_pids, s.public) for s in result] == [
        ("127.0.0.1", 80, (), False), ("127.0.0.1", 3004, (77, 78), False), ("::1", 3004, (), False),
        ("0.0.0.0", 5432, (), True),
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "numbers"), [
    ("v20.20.2", (20, 20, 2)), ("psql (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", (15, 18)),
    ("nginx version: nginx/1.22.1", (1, 22, 1)), ("psql (PostgreSQL) 18beta1", (18,)),
    ("pg_dump (PostgreSQL) 16.4 (Ubuntu 16.4-1.pgdg22.04+1)", (16, 4)),
])  # fmt: skip
def test_versions_as_programs_say_them(text, numbers):
    assert version_of("it", text).numbers == numbers


def test_systemd_files_and_dotenv_files_are_read_by_their_own_rules():
    text = ("== notrunning\n== unit\nNODE_ENV=staging \"OTHER=a b\"\n== unitfile /etc/a.env\n NODE_ENV=production # not a comment\n"
            " JWT_SECRET=\"quoted\"\n== envfile /srv/.env\n export PORT=3004 # a comment\n JWT_SECRET=later\n")  # fmt: skip
    facts = ProcessEnvironment(unit="x").parse(answer(text))
    assert facts.value("NODE_ENV") == "production # not a comment"
    assert facts.value("PORT") == "3004"
    assert dict(facts.sources)["JWT_SECRET"] == "/etc/a.env"
    denied = ProcessEnvironment(unit="x").parse(answer(text + "== denied /etc/b.env\n"))
    hidden = ProcessEnvironment(unit="x").parse(
        answer("== unit\nNODE_ENV=x\n== denied /etc/b.env\n== hidden unitfile\n== envfile /srv/.env\n PORT=1\n")
    )
    assert hidden.present == {"PORT"}
    with pytest.raises(MissingPrivilege, match=r"whether DATABASE_URL is set.*/etc/b\.env"):
        denied.known("DATABASE_URL")


@pytest.mark.parametrize(("value", "bits"), [("0f" * 32, 256), ("0f" * 16, 128), ("q" * 43 + "=", 256), ("päss" * 8, 320),
                                             ("x", 8), ("", 0)])  # fmt: skip
def test_secret_lengths(value, bits):
    assert strength(value).length_bits == bits


@pytest.mark.parametrize("value", ["production-secret-key-256bit", "your-secret-key", "change-me", "secret", "CHANGEME",
                                   "your_jwt_secret_here", "<generate>", "${JWT_SECRET}"])  # fmt: skip
def test_placeholders(value):
    assert strength(value).is_placeholder


def test_a_real_secret_is_no_placeholder_and_a_pattern_repeats():
    assert not strength("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08").is_placeholder
    assert strength("abcd" * 16).repeats
    assert strength("abcdefghijklmnopqrstuvwxyz0123456789").repeats


@pytest.mark.parametrize("password", ["a/b", "a#b", "a?b", "a@b", "#x", "[x"])
def test_an_unencoded_password_leaks_into_no_field(password):
    address = database_address(f"postgresql://u:{password}leak@db:5432/cats")
    assert "leak" not in repr(address)
    assert address.problem or (address.host, address.database) == ("db", "cats")


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("", ("localhost", 5433)),
        ("?schema=public", ("localhost", 5433)),
        ("?host=db.example&port=6432", ("db.example", 6432)),
        ("?host=db.example", ("db.example", 5433)),
        ("?host=/run/postgresql", (None, 5433)),
        ("?host=a&host=b", ("b", 5433)),
    ],
)
def test_host_and_port_in_the_query_of_an_address_come_first(query, place):
    address = database_address(f"postgresql://u:secret@localhost:5433/cats{query}")
    assert (address.host, address.port) == place
    assert address.problem is None


def test_port_in_the_query_of_an_address_that_is_none():
    assert "a port" in database_address("postgresql://u@h/cats?port=x").problem


@given(st.text())
def test_any_text_is_an_address_or_a_problem(value):
    address = database_address(value)
    assert address.problem or address.scheme
    strength(value)


def test_the_end_marker_is_not_the_last_line_and_not_inside_one():
    assert marked(b"x\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict t\n\n")
    assert not marked(b"a row with -- PostgreSQL database dump complete in it\n")


@pytest.mark.parametrize(("text", "sentence"), [
    ("ssh: connect to host x port 22: Connection refused", "connection refused"),
    ("ssh: Could not resolve hostname nope: Name or service not known", "the name nope was not resolved"),
    ("No ED25519 host key is known for x and you have requested strict checking.\nHost key verification failed.", "unknown"),
    ("a@b: Permission denied (publickey,password).\nkex_exchange_identification: Connection closed", "authentication refused"),
    ("Error response from daemon: No such container: x", "no such container"),
    ("Error: no container with name or ID \"x\" found: no such container", "no such container"),
    ('Error from server (NotFound): pods "api-1" not found', "no such pod"),
    ("OCI runtime exec failed: exec failed: unable to start container process: exec: \"/bin/sh\": stat /bin/sh: no such "
     "file or directory: unknown", "no POSIX shell"),
    ("/bin/sh: 1: exec: docker: not found", "the command docker is not installed"),
    ("permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock", "may not talk"),
    ("sudo: a password is required", "sudo asks for a password"),
    ("chroot: cannot change root directory to '/x': No such file or directory", "no such folder"),
])  # fmt: skip
def test_causes_are_one_sentence(text, sentence):
    assert sentence in str(explain(text, 1))
