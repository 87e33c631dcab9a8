"""Commands that always end."""

from __future__ import annotations

import time

from opsverify.probes.host.run import run
from tests.pace import SOON


def test_a_whole_tree_ends_at_the_deadline(gone):
    script = "sleep 71236 & (setsid sleep 0.01; sleep 71236 & sleep 71236) & timeout 99 sleep 71236; wait"
    began = time.monotonic()
    done = run(["/bin/sh", "-c", f"echo before; {script}"], 0.5)
    assert done.timed_out
    assert done.output == b"before\n"
    assert time.monotonic() - began < SOON
    assert gone("71236")


def test_what_ignores_sigterm_ends_too(gone):
    done = run(["/bin/sh", "-c", "trap '' TERM; sleep 71237; sleep 71237"], 0.3)
    assert done.timed_out
    assert gone("71237")


def test_output_is_bounded(gone):
    done = run(["/bin/sh", "-c", "yes 71238"], 10, max_output=100_000)
    assert done.overflowed
    assert len(done.output) == 100_000
    assert gone("71238")


def test_a_grandchild_that_keeps_the_pipe_open_does_not_hold_us_up(gone):
    began = time.monotonic()
    done = run(["/bin/sh", "-c", "sleep 71239 & echo done"], 10)
    assert (done.status, done.output) == (0, b"done\n")
    assert time.monotonic() - began < SOON
    assert gone("71239")


def test_a_large_feed_and_a_large_answer_pass_each_other():
    data = b"x" * 5_000_000
    done = run(["cat"], 10, feed=data)
    assert done.output == data
    assert [length for length, _ in done.arrivals] == sorted(length for length, _ in done.arrivals)


def test_a_command_that_reads_nothing_is_fed_in_vain():
    assert run(["true"], 10, feed=b"x" * 5_000_000).status == 0
