"""Collect evidence once and concurrently.

A check needs *asks*: one question to one target through one probe. All asks of a run are grouped by (probe, target),
each group is one call of its probe, and all calls run at the same time on one `concurrent.futures.Executor`. A run
so costs about as much as its slowest probe.

A probe is a module-level function (so that it can be pickled to another process)

    def probe(target, questions, deadline) -> Mapping[question, fact | ProbeError]

that returns small frozen facts, one per question, or raises one ProbeError for all of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from typing import Any, Protocol

from opsverify.errors import Cause, ProbeError, Unreachable


class Deadline:
    """A moment after which a probe must have ended. Made where the probe runs: monotonic clocks do not travel."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self, at_most: float | None = None) -> float:
        """Seconds left, > 0 and never more than `at_most`; raises Unreachable when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise Unreachable(f"no answer within {self.seconds:g} s")
        return left if at_most is None else min(left, at_most)


class Target(Protocol):
    """What a probe is aimed at: its identity within the run, and its name for people."""

    @property
    def identity(self) -> Hashable: ...

    @property
    def label(self) -> str: ...


Group = tuple[str, Hashable]
Questions = frozenset[Any]
Answers = Mapping[Any, Any]


class Probe(Protocol):
    """What does the I/O: see the module's docstring."""

    __name__: str
    __module__: str

    def __call__(self, target: Any, questions: Questions, deadline: Deadline, /) -> Answers: ...


@dataclass(frozen=True)
class Ask:
    """One question to one target. `seconds` is the probe's deadline; the longest of a group counts."""

    probe: Probe
    target: Target
    question: Hashable = None
    seconds: float = 20.0


class DaemonThreads(Executor):
    """One daemon thread per call.

    `ThreadPoolExecutor` joins its threads when the interpreter ends, so one call stuck in the kernel (a resolver, a
    dead network mount) would keep a finished run from exiting. These threads never do.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, daemon=True, name=f"probe-{getattr(fn, '__name__', 'call')}").start()
        return future


class Evidence:
    """The answers of one run; `of(ask)` returns a fact or raises the ProbeError that stands in its place."""

    def __init__(self, answers: Mapping[Any, Any] | None = None, seconds: Mapping[Any, float] | None = None) -> None:
        self._answers = dict(answers or {})
        self.seconds = dict(seconds or {})

    def of(self, ask: Ask) -> Any:
        """The fact that answers `ask`; raises ProbeError where it could not be determined."""
        try:
            outcome = self._answers[_key(ask)]
        except KeyError:
            raise ProbeError(f"{_name(ask)} was never asked about {ask.question!r}") from None
        if isinstance(outcome, ProbeError):
            raise outcome
        return outcome

    def state(self) -> dict[str, Any]:
        """What another process needs to rebuild this (plain dicts of picklable facts)."""
        return {"answers": self._answers, "seconds": self.seconds}


GRACE = 2.0
"""Seconds that a probe may overrun its own deadline before the collector gives it up."""

HEARING = 0.2
"""Seconds after which Ctrl-C is heard at the latest while evidence is collected."""


def collect(asks: Iterable[Ask], executor: Executor | None = None, run_seconds: float = 600.0) -> Evidence:
    """Call every (probe, target) once, all at the same time, and wait until each answered or its deadline passed.

    `run_seconds` bounds the whole collection. Never raises for what a target does: failures become ProbeErrors in
    the evidence. A bug in a probe does too, named as such, so that it costs its own checks and no others.
    """
    groups: dict[Group, list[Ask]] = {}
    for ask in asks:
        groups.setdefault(_group(ask), []).append(ask)
    pool = executor or DaemonThreads()
    started = time.monotonic()
    calls: dict[Future[Any], tuple[Group, list[Ask], float]] = {}
    for group, members in groups.items():
        seconds = min(max(ask.seconds for ask in members), run_seconds)
        questions = frozenset(ask.question for ask in members)
        calls[pool.submit(_call, members[0].probe, members[0].target, questions, seconds)] = (group, members, seconds)
    answers: dict[Any, Any] = {}
    took: dict[Any, float] = {}
    for future, (group, members, seconds) in calls.items():
        _await(future, started + seconds + GRACE)
        outcome, took[group] = _outcome(future, members[0], seconds)
        for ask in members:
            if isinstance(outcome, ProbeError):
                answers[_key(ask)] = outcome
            else:
                missing = ProbeError(f"{_name(ask)} did not answer {ask.question!r}")
                answers[_key(ask)] = outcome.get(ask.question, missing)
    return Evidence(answers, took)


def _await(future: Future[Any], end: float) -> None:
    # In short turns: a signal that arrives just before the wait begins, or in another thread, does not end the wait,
    # and Ctrl-C would be heard only when the slowest probe has answered.
    while not future.done() and (left := end - time.monotonic()) > 0:
        wait([future], timeout=min(left, HEARING))


def _call(probe: Probe, target: Any, questions: Questions, seconds: float) -> tuple[Answers | ProbeError, float]:
    began = time.monotonic()
    answers: Answers | ProbeError
    try:
        answers = probe(target, questions, Deadline(seconds))
    except ProbeError as error:
        answers = error
    return answers, time.monotonic() - began


def _outcome(future: Future[Any], ask: Ask, seconds: float) -> tuple[Any, float]:
    if not future.done():
        future.cancel()
        return _caused(Unreachable(f"no answer within {seconds:g} s"), ask), seconds
    error = future.exception()
    if error is None:
        answers, took = future.result()
        return (_caused(answers, ask) if isinstance(answers, ProbeError) else answers), took
    # The message of a foreign exception may hold a secret (drivers print connection strings); its type may not.
    where = f"{ask.probe.__module__}.{ask.probe.__name__}"
    told = ProbeError(f"the probe {where} failed with {type(error).__name__}: please report this")
    return _caused(told, ask), 0.0


def _caused(error: ProbeError, ask: Ask) -> ProbeError:
    error.cause = Cause(ask.target.label, str(error))
    return error


def _name(ask: Ask) -> str:
    return f"{ask.probe.__name__} of {ask.target.label}"


def _group(ask: Ask) -> Group:
    return (f"{ask.probe.__module__}.{ask.probe.__name__}", ask.target.identity)


def _key(ask: Ask) -> tuple[Group, Hashable]:
    return (_group(ask), ask.question)
