"""Evidence: asked once, all at the same time, bounded in time, and one failure costs only its own facts."""

from __future__ import annotations

import contextlib
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence import collect as collecting
from opsverify.evidence import concurrency
from opsverify.evidence.collect import Evidence, collect
from opsverify.evidence.concurrency import Concurrency
from opsverify.evidence.deadline import Deadline
from opsverify.evidence.query import Query
from tests.pace import HANGS, SOON


@dataclass(frozen=True)
class Spot:
    name: str

    @property
    def identity(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"spot {self.name}"


CALLS: Counter[str] = Counter()
TOGETHER = threading.Barrier(4, timeout=HANGS)


def echo(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    CALLS[target.name] += 1
    return {question: (target.name, question) for question in questions}


def meeting(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    TOGETHER.wait()
    return dict.fromkeys(questions, "met")


def refused(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    time.sleep(0.05)
    raise Unreachable("connection refused by 127.0.0.1:1")


def buggy(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    raise KeyError("postgresql://u:hunter2@h/db")


def partly(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    return {"good": 1, "bad": ProbeError("no such column")}


def stuck(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    time.sleep(60)
    return {}


def test_a_probe_is_called_once_per_target_whatever_it_is_asked() -> None:
    CALLS.clear()
    spot = Spot("a")
    asks = [Query(echo, spot, q) for q in ("x", "y", "x")] + [Query(echo, Spot("b"), "x")]
    result = collect(asks)
    assert CALLS == {"a": 1, "b": 1}
    assert result.of(asks[1]) == ("a", "y")
    assert result.of(asks[3]) == ("b", "x")


def test_all_probes_run_at_the_same_time() -> None:
    asks = [Query(meeting, Spot(str(n))) for n in range(4)]
    result = collect(asks)  # the barrier lets nobody through until all four are there
    assert [result.of(ask) for ask in asks] == ["met"] * 4


def test_any_executor_will_do() -> None:
    with ThreadPoolExecutor(1) as pool:
        ask = Query(echo, Spot("pool"), "q")
        assert collect([ask], pool).of(ask) == ("pool", "q")


RUNNING: list[int] = []
MOST: list[int] = []


def counted(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    RUNNING.append(1)
    MOST.append(len(RUNNING))
    left = deadline.remaining()
    time.sleep(0.02)
    RUNNING.pop()
    return dict.fromkeys(questions, left)


def test_no_more_run_at_once_than_may_and_each_has_its_whole_time() -> None:
    """One hundred of 0.02 s, three at once, each within 0.3 s: all at once, most would have been late."""
    MOST.clear()
    asks = [Query(counted, Spot(str(n)), seconds=0.3) for n in range(100)]
    result = collect(asks, concurrency=Concurrency(3, 3))
    assert max(MOST) == 3
    assert all(result.of(ask) > 0.25 for ask in asks)


@pytest.mark.parametrize("busy", [False, True])
def test_what_only_waits_keeps_no_other_from_starting(busy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "STALLED_SECONDS", 0.1)
    monkeypatch.setattr(concurrency, "BUSY", -1.0 if busy else 2.0)
    monkeypatch.setattr(collecting, "GRACE", 0.1)
    silent = [Query(stuck, Spot(str(n)), seconds=2.0) for n in range(4)]
    quick = [Query(echo, Spot(str(n)), "q", seconds=1.0) for n in range(10, 20)]
    result = collect([*silent, *quick], concurrency=Concurrency(2, 6), run_seconds=1.5)
    answered = 0
    for query in quick:
        with contextlib.suppress(ProbeError):
            answered += result.of(query) is not None
    # The silent ones, whose deadlines are longer, went first. On a busy machine nobody knows that they only wait.
    assert answered == (0 if busy else 10)


def test_what_was_not_reached_says_so_and_blames_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "GRACE", 0.1)
    first, cut, never = (Query(stuck, Spot(n), seconds=s) for n, s in (("a", 0.3), ("b", 0.29), ("c", 0.28)))
    result = collect([first, cut, never], concurrency=Concurrency(1, 1), run_seconds=0.6)
    messages = []
    for query, kind in ((first, Unreachable), (cut, ProbeError), (never, ProbeError)):
        with pytest.raises(ProbeError) as caught:
            result.of(query)
        assert type(caught.value) is kind
        messages.append(str(caught.value))
    assert messages[0] == "no answer within 0.3 s"
    assert messages[1].startswith("not reached in time: no answer within the 0 s that the run had left")
    assert messages[2] == "not reached in time: its turn did not come within the run's 0.6 s (run_seconds)"


def until_the_end(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    while True:
        time.sleep(deadline.remaining())


def test_a_probe_that_the_runs_end_cut_short_blames_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long its thread took to start: it ended at its deadline, which began before."""
    monkeypatch.setattr(concurrency, "BUSY", 2.0)
    first = Query(stuck, Spot("first"), seconds=0.5)
    cut = [Query(until_the_end, Spot(str(n)), seconds=0.49) for n in range(40)]
    monkeypatch.setattr(collecting, "GRACE", 0.1)
    monkeypatch.setattr(Concurrency, "free", lambda _, started, now: not started or now - began > 0.5)
    began = time.monotonic()
    result = collect([first, *cut], run_seconds=0.9)
    for query in cut:
        with pytest.raises(ProbeError, match="that the run had left") as caught:
            result.of(query)
        assert type(caught.value) is ProbeError


class Elsewhere(ThreadPoolExecutor):
    bounds_calls = True


def asleep(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    time.sleep(1.0)
    return dict.fromkeys(questions, "awake")


def test_a_call_that_waits_elsewhere_costs_nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "GRACE", 0.0)
    monkeypatch.setattr(concurrency, "BUSY", 2.0)
    before = time.process_time()
    query = Query(asleep, Spot("a"), "q", seconds=0.1)
    assert collect([query], Elsewhere(1)).of(query) == "awake"
    assert time.process_time() - before < 0.5


def test_what_had_no_turn_elsewhere_blames_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "GRACE", 0.1)
    queries = [Query(asleep, Spot(str(n)), "q", seconds=0.9 - n / 10) for n in range(2)]
    result = collect(queries, Elsewhere(1), run_seconds=1.5, concurrency=Concurrency(4, 4))
    assert result.of(queries[0]) == "awake"
    with pytest.raises(ProbeError, match="its turn did not come") as caught:
        result.of(queries[1])
    assert type(caught.value) is ProbeError


def test_time_in_a_queue_of_ours_is_not_the_targets() -> None:
    began = time.monotonic()
    patient, bounded = Deadline(10), Deadline(10, longest=10.05)
    with patient.paused(), bounded.paused():
        time.sleep(0.4)
    left, bounded_left = patient.left, bounded.left
    spent = time.monotonic() - began
    assert left + spent >= 10.4
    assert bounded_left <= 10.05 - 0.4
    assert left - bounded_left > 0.3


def test_time_in_a_queue_is_left_out_while_it_passes_and_once_for_all_that_wait() -> None:
    deadline = Deadline(0.2)
    with deadline.paused():
        time.sleep(0.3)
        assert deadline.left > 0
    both = Deadline(10)
    with both.paused(), both.paused():
        time.sleep(0.2)
    assert both.left <= 10


def test_on_a_busy_machine_time_counts_less_and_never_more_than_threefold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "BUSY", -1.0)
    monkeypatch.setattr(concurrency, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(collecting, "GRACE", 0.1)
    query = Query(stuck, Spot("a"), seconds=1.0)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="no answer within 1 s"):
        collect([query], concurrency=Concurrency(1, 1)).of(query)
    assert 1.8 < time.monotonic() - began < 3.5


def test_progress_is_told_from_beginning_to_end() -> None:
    seen: list[Any] = []

    class Watch:
        def begins(self, count: int) -> None:
            seen.append(count)

        def shows(self, done: int, running: Any) -> None:
            seen.append((done, [one.target for one in running]))

        def ends(self) -> None:
            seen.append("end")

    collect([Query(counted, Spot(n)) for n in ("a", "b")], concurrency=Concurrency(1, 1), progress=Watch())
    assert seen[0] == 2
    assert seen[-1] == "end"
    assert (0, ["spot a"]) in seen
    assert (1, ["spot b"]) in seen


def test_an_unreachable_target_is_one_cause_for_all_that_was_asked() -> None:
    asks = [Query(refused, Spot("a"), q) for q in range(3)]
    result = collect(asks)
    causes = set()
    for ask in asks:
        with pytest.raises(Unreachable, match="refused") as caught:
            result.of(ask)
        causes.add(caught.value.cause)
    assert [(c.target, c.message) for c in causes if c] == [("spot a", "connection refused by 127.0.0.1:1")]
    assert [took >= 0.05 for took in result.seconds.values()] == [True]


def test_an_error_that_many_checks_ask_for_does_not_grow() -> None:
    ask = Query(refused, Spot("a"))
    result = collect([ask])
    lengths = []
    for _ in range(3):
        with pytest.raises(Unreachable) as caught:
            result.of(ask)
        lengths.append(len(list(traceback.walk_tb(caught.value.__traceback__))))
    assert len(set(lengths)) == 1


def test_a_bug_in_a_probe_is_named_without_its_message() -> None:
    ask = Query(buggy, Spot("a"))
    with pytest.raises(ProbeError, match="KeyError") as caught:
        collect([ask]).of(ask)
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__context__ is None


def test_one_failing_question_costs_only_itself() -> None:
    good, bad, missing = (Query(partly, Spot("a"), q) for q in ("good", "bad", "missing"))
    result = collect([good, bad, missing])
    assert result.of(good) == 1
    with pytest.raises(ProbeError, match="no such column") as caught:
        result.of(bad)
    assert caught.value.cause is None
    with pytest.raises(ProbeError, match="did not answer"):
        result.of(missing)


def test_a_probe_that_never_returns_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "GRACE", 0.1)
    quick, slow = Query(echo, Spot("a"), "q"), Query(stuck, Spot("b"), seconds=0.2)
    result = collect([slow, quick])
    assert result.of(quick) == ("a", "q")
    with pytest.raises(Unreachable, match=r"no answer within 0\.2 s"):
        result.of(slow)


def test_a_stuck_probe_does_not_keep_the_process_from_ending() -> None:
    code = (
        "import time\n"
        "from opsverify.evidence import collect\n"
        "from opsverify.evidence.query import Query\n"
        "collect.GRACE = 0.1\n"
        "class T: identity = label = 't'\n"
        "def stuck(target, questions, deadline): time.sleep(600)\n"
        "collect.collect([Query(stuck, T(), seconds=0.1)])\n"
        "print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANGS, check=True)
    assert done.stdout == "done\n"


def interrupting(target: Spot, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    time.sleep(0.3)  # until the other thread waits
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    time.sleep(HANGS)
    return {}


def test_ctrl_c_is_heard_though_the_signal_came_to_another_thread() -> None:
    """The waiting thread is not woken by it, as by one that comes just before it begins to wait."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            collect([Query(interrupting, Spot("a"))])
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - began < SOON


def test_evidence_travels_between_processes() -> None:
    good, bad = Query(echo, Spot("a"), "q"), Query(refused, Spot("a"))
    result = Evidence(**pickle.loads(pickle.dumps(collect([good, bad]).state())))
    assert result.of(good) == ("a", "q")
    with pytest.raises(Unreachable) as caught:
        result.of(bad)
    assert caught.value.cause is not None


def test_what_was_never_asked_is_no_fact() -> None:
    with pytest.raises(ProbeError, match="never asked"):
        Evidence().of(Query(echo, Spot("a"), "q"))


def test_a_passed_deadline_says_so() -> None:
    deadline = Deadline(0.01)
    assert 0 < deadline.remaining() <= 0.01
    assert deadline.remaining(at_most=0.001) <= 0.001
    time.sleep(0.02)
    with pytest.raises(Unreachable, match=r"no answer within 0\.01 s"):
        deadline.remaining()
