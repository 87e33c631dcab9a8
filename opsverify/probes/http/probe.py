"""The probe: all questions to one address, in threads of one session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsverify.errors import ProbeError, Unanswered, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.evidence.executors import DaemonThreads
from opsverify.probes.http.redirect import Redirect

if TYPE_CHECKING:
    from opsverify.probes.http.session import Session


def probe(target: Any, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    """Ask an `Api`, `Frontend` or `Proxy` all questions, each in a thread of its own so that none waits for a slow one.

    Returns question → fact or ProbeError. Raises one Unreachable when no question got an answer: Unanswered where
    one was taken.
    """
    from opsverify.probes.http.session import Session

    with Session(target, deadline) as session, DaemonThreads() as threads:
        calls = {question: threads.submit(_answer, session, question) for question in questions}
        answers = {question: call.result() for question, call in calls.items()}
    # Plain http on another port says nothing about the target's own address.
    own = [answer for question, answer in answers.items() if not isinstance(question, Redirect)]
    lost = [answer for answer in own if isinstance(answer, Unreachable)]
    if lost and len(lost) == len(own):
        raise max(lost, key=_how_far)
    # Something else answered, so the target is reachable: a lost question is that question's own trouble.
    return {q: ProbeError(str(a)) if isinstance(a, Unreachable) and _how_far(a) < 0 else a for q, a in answers.items()}


def _how_far(error: Unreachable) -> float:
    """Seconds that an answer was waited for; below 0 where nothing took the question."""
    return (error.waited_seconds or 0.0) if isinstance(error, Unanswered) else -1.0


def _answer(session: Session, question: Any) -> Any:
    if not callable(getattr(question, "answer", None)):
        return ProbeError(f"the HTTP probe knows no question {type(question).__name__}")
    try:
        return question.answer(session)
    except ProbeError as error:
        plain = type(error)(str(error))
        plain.cause = error.cause
        if isinstance(error, Unanswered) and isinstance(plain, Unanswered):
            plain.waited_seconds = error.waited_seconds
        return plain
    except Exception as error:  # one question's bug costs that question; its text may hold a secret
        return ProbeError(f"{type(question).__name__} failed with {type(error).__name__}: please report this")
