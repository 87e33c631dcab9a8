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
from opsverify.probes.host import Filesystems, FolderSize, FolderState, OldFiles, ProcessResources
from opsverify.probes.host.ask import judge
from opsverify.probes.host.question import Answer
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
    said = "".join(line for line in USAGE.splitlines(keepends=True) if "RssShmem" not in line)
    assert "does not tell its kinds apart" in str(judge(ProcessResources(("node",)), Answer(said.encode())))


@pytest.mark.parametrize(
    ("room", "mount", "left"),
    [
        ("/dev/sda1 100 50 50 50% /", "/", 50),
        ("//nas/a b 100 50 7 94% /mnt/a b", "/mnt/a b", 7),
        ("long\n   100 50 50 50% /x", "/x", 50),
    ],
)
def test_room_is_read_from_the_right(room, mount, left):
    said = f"== folder /b\n== stat 1777 UNKNOWN 1234\n== room\nFilesystem 1024-blocks Used Available Capacity Mounted on\n{room}\n"
    facts = FolderState("/b").parse(Answer(said.encode()))
    assert (facts.mount, facts.available_bytes, facts.owner) == (mount, left * 1024, "1234")
    assert facts.open_to_all
    assert not facts.writable_by_all  # the sticky bit


def test_what_may_not_be_listed_is_never_counted_as_nothing():
    said = "== folder /b\n== clock 1795568065\n== files\n== count 0\n== old 0\n== used 5\n"
    for question in (OldFiles("/b", "*", 24), FolderSize("/b")):
        error = judge(question, Answer(said.encode(), 0, "find: './x': Permission denied"))
        assert isinstance(error, MissingPrivilege)
    told = said.replace("== old 0", "1795568065 10 640 root 0 ./x\n== old 1")
    assert OldFiles("/b", "*", 24).parse(Answer(told.encode(), 0, "find: './x': Permission denied")).too_old == 1


@pytest.mark.parametrize(
    ("inodes", "percent", "problem"),
    [
        ("/dev/sda1 200 50 150 25% /", 25.0, None),
        ("/dev/sda1 0 0 0 - /", None, None),
        ("df: unrecognized option: i", None, "df gave no inodes of /"),
    ],
)
def test_inodes_that_are_not_counted_and_those_that_are_not_known(inodes, percent, problem):
    said = f"== mounts\n== fs /dev/sda1 / btrfs\n/dev/sda1 100 50 50 50% /\n== status 0\n== inodes\n{inodes}\n== end\n"
    (found,) = Filesystems().parse(Answer(said.encode()))
    assert (found.inodes_used_percent, found.inodes_problem, found.problem) == (percent, problem, None)


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
    found = {question: judge(question, answer) for question, answer in answers.items()}
    assert (found[state].mode, found[state].available_bytes > 0, found[state].mount[:1]) == ("750", True, "/")
    assert 15_000 <= found[size].used_bytes < 200_000
    assert (found[ages].count, found[ages].too_old, len(found[ages].oldest)) == (4, 3, 2)
    (used,) = found[usage]
    assert used.memory_bytes > 20_000_000
    assert not found[gone].exists


@pytest.mark.skipif(without_mounts() != "", reason=without_mounts())
def test_a_mount_below_a_private_folder_is_not_left_out(tmp_path):
    private = tmp_path / "data"
    (private / "pg_wal").mkdir(parents=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", tmp_path / "image", "2m"], check=True)
    question = Filesystems()
    script = "".join(question.helpers) + question.script()
    steps = (
        f"mount -o loop {tmp_path}/image {private}/pg_wal && chmod 700 {private} && chmod 755 {tmp_path} && cd / &&"
        ' exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -c "$0"'
    )
    done = subprocess.run(["unshare", "-m", "sh", "-c", steps, script], capture_output=True, check=True)
    found = {fs.mount: fs for fs in question.parse(Answer(done.stdout))}
    assert "Permission denied" in found[f"{private}/pg_wal"].problem
    assert found["/"].problem is None
