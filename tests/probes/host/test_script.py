"""Composing, running and reading the script: framing, bounds, isolation, shells."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from opsverify.errors import ProbeError
from opsverify.probes.host.files.dumps import DatabaseDumps, DumpListing
from opsverify.probes.host.files.listing import FileListing, Listing
from opsverify.probes.host.probe import judge
from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.release.migrations import MigrationListing, Migrations
from opsverify.probes.host.run import run
from opsverify.probes.host.script import compose, read
from opsverify.probes.host.system.cpu import Cpu, CpuUsage
from opsverify.probes.host.system.filesystems import Filesystems
from opsverify.probes.host.system.memory import Memory, MemoryUsage
from opsverify.probes.host.system.operating_system import OsFacts, OsRelease
from opsverify.probes.host.system.services import ServiceState, ServiceStatus
from opsverify.probes.host.system.sockets import ListeningSockets
from opsverify.probes.host.system.versions import CommandVersion
from tests.pace import AMPLE, SOON, until


@dataclass(frozen=True)
class Say(Question):
    """Whatever a test wants to run."""

    lines: str

    max_bytes: ClassVar[int] = 1000
    seconds: ClassVar[float] = 1.0

    def script(self) -> str:
        return self.lines

    def parse(self, answer: Answer) -> Answer:
        return answer


@dataclass(frozen=True)
class Slowly(Say):
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = AMPLE


def _gone(leftovers, word):
    # BusyBox's timeout keeps a watcher until its second signal is due.
    until(lambda: not leftovers(word))


def test_every_section_has_its_own_output_status_and_errors(shell):
    output = Say("echo out; echo err >&2; exit 3")
    result, whole, _ = shell(output, Say("true"))
    answer = result[output]
    assert (answer.output, answer.status, answer.errors.strip(), answer.truncated) == (b"out\n", 3, "err", False)
    assert whole


def test_what_fails_or_does_not_parse_costs_only_itself(shell):
    bad = [Say("if; then ("), Say("kill -9 $$"), Say("exec 1>&-; echo x"), Say("no-such-command-here")]
    good = Say("echo well")
    result, whole, _ = shell(*bad, good)
    assert result[good].output == b"well\n"
    assert whole
    assert all(result[question].status != 0 for question in bad)


def test_output_is_bounded_and_says_so(shell):
    much = Say("head -c 100000000 /dev/zero | tr '\\0' x; echo >&2 done")
    complaints = Say("head -c 3000000 /dev/zero | tr '\\0' e >&2; echo still here")
    result, whole, done = shell(much, complaints)
    assert result[much].output == b"x" * 1000
    assert result[much].truncated
    assert result[complaints].output == b"still here\n"
    assert len(result[complaints].errors) <= 4096
    assert whole
    assert len(done.output) < 20_000


def test_bytes_arrive_as_they_are(shell):
    raw = Say(r"printf 'a\000b\377\033[31mred\n\n\n'")
    result, _, _ = shell(raw)
    assert result[raw].output == b"a\0b\xff\x1b[31mred\n\n\n"
    assert "�" in result[raw].text


def test_slow_sections_run_beside_each_other_and_hung_ones_end(shell, leftovers, tmp_path):
    # Each waits until all have begun, which one after another would not come about.
    met = " && ".join(f"[ -e {tmp_path}/{i} ]" for i in range(4))
    slow = [Slowly(f"touch {tmp_path}/{i}; until {met}; do sleep 0.02; done; echo {i}") for i in range(4)]
    hung = Say("sleep 71234; echo")
    result, whole, _ = shell(*slow, hung, Say("echo quick"))
    assert [result[question].output for question in slow] == [b"0\n", b"1\n", b"2\n", b"3\n"]
    assert isinstance(judge(hung, result[hung]), ProbeError)
    assert whole
    _gone(leftovers, "71234")


def test_children_that_outlive_their_section_do_not_hold_it_up(shell, leftovers):
    sly = Say("sleep 71235 & echo left")
    began = time.monotonic()
    shell(sly)
    assert time.monotonic() - began < SOON
    _gone(leftovers, "71235")


def test_every_question_is_answered_in_every_shell(shell, tmp_path):
    (tmp_path / "prisma/migrations/1_init").mkdir(parents=True)
    (tmp_path / "prisma/migrations/1_init/migration.sql").write_text("select 1;\n")
    (tmp_path / "x.pid").write_text(f"{os.getpid()}\nmore\n")
    (tmp_path / "db_1 a.sql").write_text("-- PostgreSQL database dump complete\n\n")
    kinds = {
        Memory(): MemoryUsage,
        Cpu(interval=0.3): CpuUsage,
        Filesystems(): tuple,
        ListeningSockets(): tuple,
        OsRelease(): OsFacts,
        CommandVersion("git"): object,
        Migrations(str(tmp_path)): MigrationListing,
        ServiceState(pid_file=str(tmp_path / "x.pid")): ServiceStatus,
        DatabaseDumps(str(tmp_path)): DumpListing,
        FileListing(str(tmp_path), "*.sql", recursive=True): Listing,
    }
    result, whole, _ = shell(*kinds)
    assert whole
    for question, kind in kinds.items():
        fact = judge(question, result[question])
        assert isinstance(fact, kind), (question, fact, result[question].errors, result[question].text)
        assert not isinstance(fact, ProbeError), (question, fact)
    assert judge(DatabaseDumps(str(tmp_path)), result[DatabaseDumps(str(tmp_path))]).dumps[0].complete
    assert judge(*next((q, a) for q, a in result.items() if isinstance(q, FileListing))).count == 2


def test_a_script_cut_off_does_nothing(tmp_path):
    target = tmp_path / "touched"
    text = compose([Say(f"touch {target}"), Say("echo y")], 5).text
    for share in (0.3, 0.6, 0.9, 0.99):
        run(["/bin/sh", "-c", 'eval "$(cat)"'], 5, feed=text[: int(len(text) * share)].encode())
    assert not target.exists()


@given(st.binary(max_size=400))
def test_any_noise_reads_as_no_answer(noise):
    script = compose([Say("x")], 5)
    assert read(script, noise) == ({}, False)


def test_noise_before_the_first_frame_is_passed_over():
    script = compose([Say("x")], 5)
    n = script.nonce.encode()
    frames = b"\n%s begin 0\nhello\n%s end 0\n\n%s status 0\n\n%s stop 0\n\n%s done\n" % (n, n, n, n, n)
    result, whole = read(script, b"Welcome!\xff\0 begin 0\n" + frames)
    assert result[Say("x")].output == b"hello"
    assert whole


def test_no_two_shell_helpers_have_one_name():
    # Every question's shell gets the helpers of all: the later of two would silently be the other's, too.
    kinds = [Question]
    for kind in kinds:
        kinds += kind.__subclasses__()
    helpers = {helper.text for kind in kinds for helper in kind.helpers}
    names = [name for helper in helpers for name in re.findall(r"^([a-z_]+)\(\)", helper, re.MULTILINE)]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
