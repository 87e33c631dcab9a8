"""Collect evidence once and concurrently.

A check needs *asks*: one question to one target through one probe. All asks of a run are grouped by (probe, target),
each group is one call of its probe, and all calls run at the same time on one `concurrent.futures.Executor`. A run
so costs about as much as its slowest probe.

A probe is a module-level function (so that it can be pickled to another process)

    def probe(target, questions, deadline) -> Mapping[question, fact | ProbeError]

that returns small frozen facts, one per question, or raises one ProbeError for all of them.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Mapping
from concurrent.futures import Executor, Future, wait
from typing import Any

from opsverify.errors import Cause, ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.evidence.executors import DaemonThreads
from opsverify.evidence.query import Answers, Group, Probe, Query, Questions


class Evidence:
    """The answers of one run; `of(ask)` returns a fact or raises the ProbeError that stands in its place."""

    def __init__(self, answers: Mapping[Any, Any] | None = None, seconds: Mapping[Any, float] | None = None) -> None:
        self._answers = dict(answers or {})
        self.seconds = dict(seconds or {})

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
        return {"answers": self._answers, "seconds": self.seconds}


GRACE = 2.0
"""Seconds that a probe may overrun its own deadline before the collector gives it up."""

HEARING = 0.2
"""Seconds after which Ctrl-C is heard at the latest while evidence is collected."""


def collect(queries: Iterable[Query], executor: Executor | None = None, run_seconds: float = 600.0) -> Evidence:
    """Call every (probe, target) once, all at the same time, and wait until each answered or its deadline passed.

    `run_seconds` bounds the whole collection. Never raises for what a target does: failures become ProbeErrors in
    the evidence. A bug in a probe does too, named as such, so that it costs its own checks and no others.
    """
    groups: dict[Group, list[Query]] = {}
    for query in queries:
        groups.setdefault(_group(query), []).append(query)
    pool = executor or DaemonThreads()
    started = time.monotonic()
    calls: dict[Future[Any], tuple[Group, list[Query], float]] = {}
    for group, members in groups.items():
        seconds = min(max(query.seconds for query in members), run_seconds)
        questions = frozenset(query.question for query in members)
        calls[pool.submit(_call, members[0].probe, members[0].target, questions, seconds)] = (group, members, seconds)
    answers: dict[Any, Any] = {}
    took: dict[Any, float] = {}
    for future, (group, members, seconds) in calls.items():
        _await(future, started + seconds + GRACE)
        outcome, took[group] = _outcome(future, members[0], seconds)
        for query in members:
            if isinstance(outcome, ProbeError):
                answers[_key(query)] = outcome
            else:
                missing = ProbeError(f"{_name(query)} did not answer {query.question!r}")
                answers[_key(query)] = outcome.get(query.question, missing)
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


def _outcome(future: Future[Any], query: Query, seconds: float) -> tuple[Any, float]:
    if not future.done():
        future.cancel()
        return _caused(Unreachable(f"no answer within {seconds:g} s"), query), seconds
    error = future.exception()
    if error is None:
        answers, took = future.result()
        return (_caused(answers, query) if isinstance(answers, ProbeError) else answers), took
    # The message of a foreign exception may hold a secret (drivers print connection strings); its type may not.
    where = f"{query.probe.__module__}.{query.probe.__name__}"
    failure = ProbeError(f"the probe {where} failed with {type(error).__name__}: please report this")
    return _caused(failure, query), 0.0


def _caused(error: ProbeError, query: Query) -> ProbeError:
    error.cause = Cause(query.target.label, str(error))
    return error


def _name(query: Query) -> str:
    return f"{query.probe.__name__} of {query.target.label}"


def _group(query: Query) -> Group:
    return (f"{query.probe.__module__}.{query.probe.__name__}", query.target.identity)


def _key(query: Query) -> tuple[Group, Hashable]:
    return (_group(query), query.question)
