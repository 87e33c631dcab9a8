"""Collect evidence once and concurrently.

A check needs *asks*: one question to one target through one probe. All asks of a run are grouped by (probe, target),
each group is one call of its probe, and as many calls as this machine can serve run at the same time on one
`concurrent.futures.Executor`. A run of a few targets so costs about as much as its slowest probe.

A probe is a module-level function (so that it can be pickled to another process)

    def probe(target, questions, deadline) -> Mapping[question, fact | ProbeError]

that returns small frozen facts, one per question, or raises one ProbeError for all of them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import Any

from opsverify.errors import Cause, ProbeError, Unreachable
from opsverify.evidence.concurrency import Concurrency
from opsverify.evidence.deadline import GRACE, Deadline
from opsverify.evidence.executors import DaemonThreads
from opsverify.evidence.progress import Progress, Running, watched
from opsverify.evidence.query import Answers, Group, Probe, Query, Questions, bug_of


class Evidence:
    """The answers of one run; `of(ask)` returns a fact or raises the ProbeError that stands in its place."""

    def __init__(
        self,
        answers: Mapping[Any, Any] | None = None,
        seconds: Mapping[Any, float] | None = None,
        busy: float | None = None,
        wall_seconds: float = 0.0,
    ) -> None:
        self._answers = dict(answers or {})
        self.seconds = dict(seconds or {})
        self.busy = busy
        """How much of this machine's processors was in use meanwhile, 0 to 1; None where that is not known."""
        self.wall_seconds = wall_seconds

    def of(self, query: Query) -> Any:
        """The fact that answers `ask`; raises ProbeError where it could not be determined."""
        try:
            outcome = self._answers[_key(query)]
        except KeyError:
            raise ProbeError(f"{_name(query)} was never asked about {query.question!r}") from None
        if isinstance(outcome, ProbeError):
            # One error is raised by each check that asks for it, and Python would add every raise to its traceback.
            raise outcome.with_traceback(None)
        return outcome

    def state(self) -> dict[str, Any]:
        """What another process needs to rebuild this (plain dicts of picklable facts)."""
        return {
            "answers": self._answers,
            "seconds": self.seconds,
            "busy": self.busy,
            "wall_seconds": self.wall_seconds,
        }


HEARING = 0.2
"""Seconds after which Ctrl-C is heard at the latest while evidence is collected."""


@dataclass
class _Call:
    group: Group
    members: list[Query]
    seconds: float
    started: float = 0.0
    cut: bool = False
    """Whether it began so late that the end of the run's time came before its own."""
    deadline: Deadline | None = None

    def running(self, now: float) -> Running:
        assert self.deadline is not None
        label = self.members[0].target.label
        return Running(label, now - self.started, self.deadline.phase, max(0.0, self.deadline.left))

    def move(self, seconds: float) -> None:
        if self.deadline is not None and not self.cut:
            self.deadline.move(seconds)


def collect(
    queries: Iterable[Query],
    executor: Executor | None = None,
    run_seconds: float = 600.0,
    concurrency: Concurrency | None = None,
    progress: Progress | None = None,
) -> Evidence:
    """Call every (probe, target) once, so many at a time as `concurrency` lets, and wait until each has ended.

    A probe's deadline begins when it starts; `run_seconds` bounds the whole, and what was not started by then says so.
    Never raises for what a target does: failures become ProbeErrors in the evidence. A bug in a probe does too, named
    as such, so that it costs its own checks and no others.
    """
    groups: dict[Group, list[Query]] = {}
    for query in queries:
        groups.setdefault(_group(query), []).append(query)
    # What takes longest first: the run ends with its slowest probe, not with what happened to be asked last.
    calls = sorted((_Call(g, m, max(q.seconds for q in m)) for g, m in groups.items()), key=lambda call: -call.seconds)
    turns = concurrency or Concurrency.of_this_machine()
    collection = _Collection(calls, executor or DaemonThreads(), run_seconds, turns)
    with watched(progress, len(calls)), turns.measured():
        while collection.unfinished:
            collection.give_time_back()
            collection.start_what_may()
            collection.end_what_has()
            if progress is not None:
                progress.shows(collection.done, collection.running())
            collection.wait()
    return Evidence(collection.answers, collection.took, turns.busy, time.monotonic() - collection.began)


class _Collection:
    """The calls of one run: those that wait for their turn, those that run, and what the others have answered."""

    def __init__(self, calls: Sequence[_Call], pool: Executor, run_seconds: float, turns: Concurrency) -> None:
        self._count = len(calls)
        self._waiting = deque(calls)
        self._running: dict[Future[Any], _Call] = {}
        self._pool = pool
        self._turns = turns
        # Where calls wait in a queue that is not ours, whoever runs them holds them to their deadline.
        self._elsewhere = getattr(pool, "bounds_calls", False)
        self._run_seconds = run_seconds
        self.began = self._looked = time.monotonic()
        self._end = self.began + run_seconds
        self.answers: dict[Any, Any] = {}
        self.took: dict[Any, float] = {}

    @property
    def unfinished(self) -> bool:
        return bool(self._waiting or self._running)

    @property
    def done(self) -> int:
        return self._count - len(self._running) - len(self._waiting)

    def running(self) -> list[Running]:
        """The oldest first."""
        oldest = sorted(self._running.values(), key=lambda call: call.started)
        return [call.running(time.monotonic()) for call in oldest]

    def give_time_back(self) -> None:
        """Half of what passed while this machine was the bottleneck, to whatever runs."""
        before, self._looked = self._looked, time.monotonic()
        if self._turns.look(self._looked):
            for call in self._running.values():
                call.move((self._looked - before) / 2)

    def start_what_may(self) -> None:
        now = self._looked
        while self._waiting and now < self._end and self._turns.free([c.started for c in self._running.values()], now):
            call = self._waiting.popleft()
            left = self._end - now
            call.started, call.cut = now, now > self.began + HEARING and left < call.seconds
            call.seconds = min(call.seconds, left)
            call.deadline = Deadline(call.seconds, longest=left)
            first = call.members[0]
            questions = frozenset(query.question for query in call.members)
            self._running[self._pool.submit(_call, first.probe, first.target, questions, call.deadline)] = call

    def end_what_has(self) -> None:
        """Take the answers of what has ended or is late; and where the run's time is over, give up what waits."""
        for future, call in list(self._running.items()):
            if future.done() or self._left(call) <= 0:
                self._ended(future, self._running.pop(future))
        if time.monotonic() >= self._end:
            while self._waiting:
                self._ended(None, self._waiting.popleft())

    def wait(self) -> None:
        """Until something ends or is late, in short turns: a signal that arrives just before the wait begins, or in
        another thread, does not end the wait, and Ctrl-C would be heard only when the slowest probe has answered."""
        if self._running:
            left = min(self._left(call) for call in self._running.values())
            wait(self._running, timeout=max(0.0, min(left, HEARING)), return_when=FIRST_COMPLETED)

    def _left(self, call: _Call) -> float:
        """Seconds until a call that runs is given up."""
        assert call.deadline is not None
        return (self._end - time.monotonic() if self._elsewhere else call.deadline.left) + GRACE

    def _ended(self, future: Future[Any] | None, call: _Call) -> None:
        outcome, self.took[call.group] = _outcome(future, call, self._run_seconds, self._elsewhere)
        for query in call.members:
            if isinstance(outcome, ProbeError):
                self.answers[_key(query)] = outcome
            else:
                missing = ProbeError(f"{_name(query)} did not answer {query.question!r}")
                self.answers[_key(query)] = outcome.get(query.question, missing)


def _call(probe: Probe, target: Any, questions: Questions, deadline: Deadline) -> tuple[Answers | ProbeError, float]:
    began = time.monotonic()
    answers: Answers | ProbeError
    try:
        answers = probe(target, questions, deadline)
    except ProbeError as error:
        answers = error
    return answers, time.monotonic() - began


def _outcome(future: Future[Any] | None, call: _Call, run_seconds: float, elsewhere: bool) -> tuple[Any, float]:
    query = call.members[0]
    if future is None or (elsewhere and not future.done()):  # which had begun, it would have ended by itself
        if future is not None:
            future.cancel()
        late = f"not reached in time: its turn did not come within the run's {run_seconds:g} s (run_seconds)"
        return _caused(ProbeError(late), query), 0.0
    if not future.done():
        future.cancel()
        return _caused(_silent(call), query), call.seconds
    failure = future.exception()
    if failure is None:
        answers, took = future.result()
        if isinstance(answers, Unreachable) and call.cut and call.deadline is not None and call.deadline.left <= 0:
            answers = _silent(call)
        return (_caused(answers, query) if isinstance(answers, ProbeError) else answers), took
    return _caused(bug_of(query.probe, failure), query), 0.0


def _silent(call: _Call) -> ProbeError:
    if call.cut:  # which says nothing about the target
        return ProbeError(f"not reached in time: no answer within the {call.seconds:.0f} s that the run had left")
    return Unreachable(f"no answer within {call.seconds:g} s")


def _caused(error: ProbeError, query: Query) -> ProbeError:
    error.cause = Cause(query.target.label, str(error))
    return error


def _name(query: Query) -> str:
    return f"{query.probe.__name__} of {query.target.label}"


def _group(query: Query) -> Group:
    return (f"{query.probe.__module__}.{query.probe.__name__}", query.target.identity)


def _key(query: Query) -> tuple[Group, Hashable]:
    return (_group(query), query.question)
