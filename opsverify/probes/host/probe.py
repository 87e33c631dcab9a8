"""The probe: all questions to one host in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opsverify.errors import ProbeError, Unreachable
from opsverify.probes.host.causes import explain
from opsverify.probes.host.connection import connect
from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.script import Script, compose, read

if TYPE_CHECKING:
    from opsverify.config.environment import Host
    from opsverify.evidence.deadline import Deadline

Fact = Any
Outcome = dict[Question, Fact | ProbeError]

_ENDED_BY_TIMEOUT = (124, 137, 143)
"""What `timeout` returns: by itself, after SIGKILL, and (BusyBox) after SIGTERM."""


def probe(target: Host, questions: frozenset[Question], deadline: Deadline) -> Outcome:
    """Ask one host everything at once.

    Returns a fact or a ProbeError for each question. Raises one ProbeError, Unreachable in most cases, where the host
    gave no answer at all. No exception that leaves here carries a frame or a cause that could hold what a host said.
    """
    outcome = _ask(target, questions, deadline)
    if isinstance(outcome, ProbeError):
        raise outcome
    return outcome


def archive_probe(target: Host, questions: frozenset[Question], deadline: Deadline) -> Outcome:
    """The same for questions that take minutes (`ArchiveContents`), so that the others need not wait for them.

    It is another session over the same SSH connection.
    """
    outcome = _ask(target, questions, deadline)
    if isinstance(outcome, ProbeError):
        raise outcome
    return outcome


def audit_probe(target: Host, questions: frozenset[Question], deadline: Deadline) -> Outcome:
    """The same for `Audit`, which waits for a registry: in a session of its own, with a deadline of its own."""
    outcome = _ask(target, questions, deadline)
    if isinstance(outcome, ProbeError):
        raise outcome
    return outcome


def _ask(target: Host, questions: frozenset[Question], deadline: Deadline) -> Outcome | ProbeError:
    try:
        answers: Outcome = {}
        connection = connect(target)
        for batch in _batches(questions, connection.max_script, deadline):
            done = connection.run(batch.text, deadline)
            batch_answers, _ = read(batch, done.output, done.sent, done.arrivals)
            if not batch_answers and not answers:
                if done.timed_out:
                    return Unreachable(f"no answer within {deadline.seconds:g} s")
                if done.overflowed:
                    return ProbeError(f"it said more than {len(done.output):,} bytes before it answered")
                return _bare(explain(done.errors, done.status))
            late = f"no answer within {deadline.seconds:g} s" if done.timed_out else "the connection ended before"
            for question in batch.questions:
                answer = batch_answers.get(question)
                answers[question] = judge(question, answer) if answer else Unreachable(f"{question.title}: {late}")
            if done.timed_out:
                break
        for question in questions - answers.keys():
            answers[question] = Unreachable(f"{question.title}: no answer within {deadline.seconds:g} s")
        return answers
    except ProbeError as error:
        return _bare(error)


def judge(question: Question, answer: Answer) -> Fact | ProbeError:
    """What a question makes of an answer. Pure; never raises, and keeps nothing of the answer but the fact."""
    if answer.status in _ENDED_BY_TIMEOUT and not answer.truncated:
        return ProbeError(f"{question.title}: the host did not answer this within {question.seconds:g} s")
    try:
        return question.parse(answer)
    except ProbeError as error:
        return _bare(error)
    except Exception as error:  # a parser's bug costs its own question, and its message may quote the host
        return ProbeError(f"{question.title}: the answer could not be understood ({type(error).__name__})")


def _bare(error: ProbeError) -> ProbeError:
    """The same error without traceback and context: their frames hold raw answers, secrets among them."""
    plain = type(error)(str(error))
    plain.cause = error.cause
    return plain


def _batches(questions: frozenset[Question], most: int | None, deadline: Deadline) -> Sequence[Script]:
    """As few scripts as a connection's limit allows: one, unless there are very many questions."""
    waiting = sorted(questions, key=repr)
    # A second is left for the answer to travel.
    seconds = max(1.0, deadline.remaining() - 1.0)
    whole = compose(waiting, seconds)
    if most is None or len(whole.text) <= most or len(waiting) < 2:
        return [whole]
    count = -(-len(whole.text) // most) + 1
    return [compose(waiting[start::count], seconds) for start in range(count) if waiting[start::count]]
