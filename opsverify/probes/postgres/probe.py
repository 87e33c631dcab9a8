"""The probe: all questions to one database in one session and one read-only transaction."""

from __future__ import annotations

from typing import Any

from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.postgres.question import Server
from opsverify.probes.postgres.refusals import StatementRefused


def probe(target: Any, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    """Ask a `Database` all questions. Returns question → fact or ProbeError; raises Unreachable, or ProbeError
    when no read-only transaction can be opened."""
    from opsverify.probes.postgres.transport import open_session

    session = open_session(target.dsn.get_secret_value(), deadline)
    try:
        return _converse(session, questions)
    finally:
        session.close()


def _converse(session: Any, questions: frozenset[Any]) -> dict[Any, Any]:
    """Let every question send its next query, all in one round trip, until each has its fact."""
    server = Server(session.version_num, session.role, session.connect_seconds, session.round_trip_seconds)
    answers: dict[Any, Any] = {}
    waiting: list[tuple[Any, Any, Any]] = []  # question, its steps, its query

    def advance(question: Any, steps: Any, outcome: Any) -> None:
        try:
            query = steps.throw(outcome) if isinstance(outcome, StatementRefused) else steps.send(outcome)
        except StopIteration as finished:
            answers[question] = finished.value
        except StatementRefused as refused:
            answers[question] = refused.as_probe_error(type(question).__name__, session.role)
        except ProbeError as error:
            answers[question] = type(error)(str(error))
        except Exception as error:  # one question's bug costs that question; its text is not shown
            name = f"{type(question).__name__} failed with {type(error).__name__}"
            answers[question] = ProbeError(f"{name}: please report this")
        else:
            waiting.append((question, steps, query))

    for question in sorted(questions, key=lambda q: (getattr(q, "weight", 1), repr(q))):
        if hasattr(question, "steps"):
            advance(question, question.steps(server), None)
        else:
            name = type(question).__name__
            answers[question] = ProbeError(f"the PostgreSQL probe knows no question {name}")
    while waiting:
        asked, waiting[:] = list(waiting), []
        for (question, steps, _), outcome in zip(asked, session.ask([a[2] for a in asked]), strict=True):
            advance(question, steps, outcome)
    return answers
