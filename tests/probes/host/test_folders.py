"""Folders as a whole, and what programs use: in every shell, and their parsers on samples."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.files.folder_size import FolderSize
from opsverify.probes.host.files.folder_state import FolderState
from opsverify.probes.host.files.old_files import OldFiles
from opsverify.probes.host.probe import judge
from opsverify.probes.host.question import Answer
from opsverify.probes.host.system.filesystems import Filesystems
from opsverify.probes.host.system.memory import Memory
from opsverify.probes.host.system.usage import ProcessResources
from rehearsal.faults.volumes import without_mounts

ALL = [FolderState("/b"), FolderSize("/b"), OldFiles("/b", "*.log", 24), ProcessResources(("node", "postgres"))]

# As Linux 6.1 writes it, cut: an own title with blanks, a zombie, a name with a parenthesis.
USAGE = """== first
cpu  100 0 100 1000 0 0 0 0 0 0
name node
stat 12 (node) S 1 12 12 0 -1 4194304 100 0 0 0 50 10 0 0 20 0 11 0 900 1 1
name postgres
stat 20 (postgres) S 1 20 20 0 -1 4194304 100 0 0 0 10 0 0 0 20 0 1 0 500 1 1
name postgres
stat 21 (postgres) S 20 21 21 0 -1 4194304 100 0 0 0 0 0 0 0 20 0 1 0 501 1 1
== second
cpu  200 0 200 1800 0 0 0 0 0 0
name node
stat 12 (node) S 1 12 12 0 -1 4194304 100 0 0 0 150 10 0 0 20 0 11 0 900 1 1
RssAnon:\t   1000 kB
RssFile:\t    500 kB
RssShmem:\t      0 kB
name postgres
stat 20 (postgres) S 1 20 20 0 -1 4194304 100 0 0 0 12 0 0 0 20 0 1 0 500 1 1
RssAnon:\t    100 kB
RssFile:\t     50 kB
RssShmem:\t   1000 kB
name postgres
stat 21 (post) gres) S 20 21 21 0 -1 4194304 100 0 0 0 8 0 0 0 20 0 1 0 501 1 1
RssAnon:\t    200 kB
RssFile:\t     60 kB
RssShmem:\t    900 kB
name postgres
stat 22 (postgres) Z 20 22 22 0 -1 4194304 100 0 0 0 8 0 0 0 20 0 1 0 990 1 1
== memory
MemTotal:          10000 kB
"""

PIECES = st.sampled_from(
    [*USAGE.splitlines(keepends=True), "== folder /b\n", "== stat 750 root 0\n", "== room\n", "/dev/sda1 10 5 5 50% /\n",
     "== parent\n", "== used 12\n", "== used x\n", "== clock 1795568065\n", "== files\n", "1795568065 10 640 root 0 ./x\n",
     "== count 1\n", "== old 1\n", "== old -1\n", "== nofolder ls: /b: No such file or directory\n", "RssAnon: x kB\n"]
)  # fmt: skip


@pytest.mark.parametrize("question", ALL, ids=lambda q: type(q).__name__)
@given(parts=st.lists(PIECES | st.text(max_size=8)), status=st.sampled_from([0, 1]))
def test_whatever_a_host_says_is_a_fact_or_a_probe_error(question, parts, status):
    data = "".join(parts)
    try:
        question.parse(Answer(data.encode("utf-8", "replace"), status, data))
    except ProbeError as error:
        assert str(error)


@pytest.mark.parametrize("question", ALL, ids=lambda q: type(q).__name__)
def test_no_answer_is_never_a_fact(question):
    assert isinstance(judge(question, Answer(b"", 1, "sh: x: Permission denied")), ProbeError)


def test_programs_share_pages_and_cores():
    node, postgres = ProcessResources(("node", "next-server", "postgres")).parse(Answer(USAGE.encode()))
    # 1000 ticks passed on all cores; node spent 100 of them.
    assert (node.name, node.processes, node.cpu_percent, node.memory_bytes) == ("node", 1, 10.0, 1500 * 1024)
    assert node.memory_percent == 15.0
    # Private pages of both, shared ones once; the zombie has none.
    assert (postgres.processes, postgres.cpu_percent, postgres.memory_bytes) == (2, 1.0, (100 + 200 + 1050) * 1024)


def test_an_old_kernel_does_not_tell_memory_apart():
    output = "".join(line for line in USAGE.splitlines(keepends=True) if "RssShmem" not in line)
    assert "does not tell its kinds apart" in str(judge(ProcessResources(("node",)), Answer(output.encode())))


@pytest.mark.parametrize(
    ("room", "mount", "left"),
    [
        ("/dev/sda1 100 50 50 50% /", "/", 50),
        ("//nas/a b 100 50 7 94% /mnt/a b", "/mnt/a b", 7),
        ("long\n   100 50 50 50% /x", "/x", 50),
    ],
)
def test_room_is_read_from_the_right(room, mount, left):
    output = f"== folder /b\n== stat 1777 UNKNOWN 1234\n== room\nFilesystem 1024-blocks Used Available Capacity Mounted on\n{room}\n"
    output += f"== mount 8:1 {mount.replace(' ', chr(92) + '040')} ext4 ro\n"
    facts = FolderState("/b").parse(Answer(output.encode()))
    assert (facts.mount, facts.available_bytes, facts.owner) == (mount, left * 1024, "1234")
    assert facts.unwritable == "is read-only"
    assert facts.open_to_all
    assert not facts.writable_by_all  # the sticky bit


def test_what_may_not_be_listed_is_never_counted_as_nothing():
    output = "== folder /b\n== clock 1795568065\n== files\n== count 0\n== old 0\n== used 5\n"
    for question in (OldFiles("/b", "*", 24), FolderSize("/b")):
        error = judge(question, Answer(output.encode(), 0, "find: './x': Permission denied"))
        assert isinstance(error, MissingPrivilege)
    message = output.replace("== old 0", "1795568065 10 640 root 0 ./x\n== old 1")
    assert OldFiles("/b", "*", 24).parse(Answer(message.encode(), 0, "find: './x': Permission denied")).too_old == 1


@pytest.mark.parametrize(
    ("inodes", "percent", "problem"),
    [
        ("/dev/sda1 200 50 150 25% /", 25.0, None),
        ("/dev/sda1 0 0 0 - /", None, None),
        ("df: unrecognized option: i", None, "df gave no inodes of /"),
    ],
)
def test_inodes_that_are_not_counted_and_those_that_are_not_known(inodes, percent, problem):
    output = (
        f"== mounts\n== fs /dev/sda1 / btrfs\n/dev/sda1 100 50 50 50% /\n== status 0\n== inodes\n{inodes}\n== end\n"
    )
    (result,) = Filesystems().parse(Answer(output.encode()))
    assert (result.inodes_used_percent, result.inodes_problem, result.problem) == (percent, problem, None)


def test_in_every_shell(shell, tmp_path):
    folder = tmp_path / "it's a folder"
    (folder / "deep").mkdir(parents=True)
    folder.chmod(0o750)
    then = time.time() - 50 * 3600
    for name in ("old.log", "deep/older.log", "deep/with\nline.log"):
        (folder / name).write_bytes(b"x" * 5000)
        os.utime(folder / name, (then, then))
    (folder / "new.log").touch()
    program = subprocess.Popen([sys.executable, "-c", "import time; b = bytearray(20_000_000); time.sleep(60)"])
    title = os.path.basename(sys.executable)[:15]  # as the kernel cuts it
    state, size, ages = FolderState(str(folder)), FolderSize(str(folder)), OldFiles(str(folder), "*.log", 48, shown=2)
    usage, gone = ProcessResources((title, "nobody-runs-this"), 0.5), FolderState(f"{folder}/gone")
    try:
        answers, whole, _ = shell(state, size, ages, usage, gone)
    finally:
        program.kill()
        program.wait()
    assert whole
    result = {question: judge(question, answer) for question, answer in answers.items()}
    assert (result[state].mode, result[state].available_bytes > 0, result[state].mount[:1]) == ("750", True, "/")
    assert 15_000 <= result[size].used_bytes < 200_000
    assert (result[ages].count, result[ages].too_old, len(result[ages].oldest)) == (4, 3, 2)
    (used,) = result[usage]
    assert used.memory_bytes > 20_000_000
    assert not result[gone].exists


def in_namespace(steps, *questions):
    """What questions are answered by a host whose mounts `steps` change, by the shell."""
    facts = []
    for question in questions:
        script = "".join(helper.text for helper in question.helpers) + question.script()
        command = ["unshare", "-m", "--propagation", "private", "sh", "-ec", f'{steps}\nexec sh -c "$0"', script]
        done = subprocess.run(command, capture_output=True, check=False)
        facts.append(question.parse(Answer(done.stdout, done.returncode, done.stderr.decode())))
    return facts


@pytest.mark.skipif(without_mounts() != "", reason=without_mounts())
def test_file_systems_in_memory_count_where_programs_write_to_them():
    steps = """
    mount -t tmpfs none /mnt; mkdir /mnt/cache /mnt/other
    echo 'tmpfs /mnt/cache tmpfs size=1m 0 0' > /mnt/fstab; mount --bind /mnt/fstab /etc/fstab
    mount -t tmpfs -o size=1m none /mnt/cache; mount -t tmpfs -o size=1m none /mnt/other
    mount -t tmpfs -o size=2m tmpfs /dev/shm; head -c 2m /dev/zero > /dev/shm/full
    mount -t tmpfs -o size=2m,nr_inodes=2 tmpfs /var/tmp; touch /var/tmp/one
    mount -t tmpfs -o size=0 tmpfs /run
    mount -t tmpfs -o size=4m,nr_inodes=0 tmpfs /tmp; head -c 1m /dev/zero > /tmp/quarter
    """
    (seen,) = in_namespace(steps, Filesystems())
    memory = {fs.mount: fs for fs in seen if fs.type == "tmpfs" and not fs.mount.startswith("/run/")}
    assert memory.keys() == {"/dev/shm", "/var/tmp", "/tmp", "/mnt/cache"}
    assert all(fs.problem is None for fs in memory.values())
    assert memory["/dev/shm"].used_percent == 100.0
    assert memory["/var/tmp"].inodes_used_percent == 100.0
    assert (memory["/tmp"].used_percent, memory["/tmp"].inodes_used_percent) == (25.0, None)


@pytest.mark.skipif(without_mounts() != "", reason=without_mounts())
def test_a_file_system_in_memory_without_a_size_is_no_figure_even_when_asked_for():
    ((run,),) = in_namespace("mount -t tmpfs -o size=0 tmpfs /run", Filesystems(only=("/run",)))
    assert run.problem == "/run has no size of its own, only that of the memory"


@pytest.mark.skipif(without_mounts() != "", reason=without_mounts())
def test_the_cache_of_zfs_counts_where_the_memory_is_the_hosts_own(tmp_path):
    (tmp_path / "arc/kstat/zfs").mkdir(parents=True)
    (tmp_path / "arc/kstat/zfs/arcstats").write_text(ARCSTATS)
    (tmp_path / "meminfo").write_text("MemTotal: 4194304 kB\nMemAvailable: 524288 kB\n")
    # A kernel without ZFS has no /proc/spl to mount on: the file system that /proc is stands in for it.
    steps = "mount -t tmpfs none /proc; mkdir /proc/self\n"
    steps += f"cp {tmp_path}/meminfo /proc/; cp -r {tmp_path}/arc /proc/spl; echo '{{}}' > /proc/self/mounts"
    (usage,) = in_namespace(steps.format("proc /proc proc rw 0 0"), Memory())
    assert (usage.zfs_cache_bytes, usage.used_percent) == (2 * 2**30, 37.5)
    (inside,) = in_namespace(steps.format("lxcfs /proc/meminfo fuse.lxcfs rw 0 0"), Memory())
    assert (inside.zfs_cache_bytes, inside.used_percent) == (0, 87.5)


ARCSTATS = """\
13 1 0x01 147 39984 4296178212 12345678901
name                            type data
hits                            4    9
size                            4    3221225472
compressed_size                 4    2221225472
c                               4    3221225472
c_min                           4    1073741824
c_max                           4    4294967296
"""


@pytest.mark.skipif(without_mounts() != "", reason=without_mounts())
def test_a_mount_below_a_private_folder_is_not_left_out(tmp_path):
    private = tmp_path / "data"
    (private / "pg_wal").mkdir(parents=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", tmp_path / "image", "2m"], check=True)
    question = Filesystems()
    script = "".join(helper.text for helper in question.helpers) + question.script()
    steps = (
        f"mount -o loop {tmp_path}/image {private}/pg_wal && chmod 700 {private} && chmod 755 {tmp_path} && cd / &&"
        ' exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -c "$0"'
    )
    done = subprocess.run(["unshare", "-m", "sh", "-c", steps, script], capture_output=True, check=True)
    result = {fs.mount: fs for fs in question.parse(Answer(done.stdout))}
    assert "Permission denied" in result[f"{private}/pg_wal"].problem
    assert result["/"].problem is None
