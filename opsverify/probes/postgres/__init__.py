"""What a PostgreSQL server says about itself, over one connection and one read-only transaction.

`probe` takes a `Database` target and the questions defined in `questions`. PostgreSQL 10 and newer are understood, so
that a server too old for the promise can still be told so. Importing this is cheap: psycopg is loaded when a probe
runs.
"""

from __future__ import annotations

from typing import Any

from opsverify.errors import ProbeError
from opsverify.evidence import Deadline
from opsverify.probes.postgres.facts import (
    Aged,
    AppliedMigrationsFacts,
    ClockFacts,
    ConnectFacts,
    ConnectionsFacts,
    ContentsFacts,
    HbaRule,
    HbaRulesFacts,
    InvalidIndex,
    InvalidObjectsFacts,
    Migration,
    Role,
    RolesFacts,
    RowCountsFacts,
    ServerVersionFacts,
    Setting,
    SettingsFacts,
    SlowQueriesFacts,
    SlowQuery,
    TableInventoryFacts,
    TableStatistic,
    TableStatisticsFacts,
    UnvalidatedConstraint,
    WraparoundFacts,
)
from opsverify.probes.postgres.questions import (
    AppliedMigrations,
    Clock,
    Connect,
    Connections,
    Contents,
    HbaRules,
    InvalidObjects,
    Roles,
    RowCounts,
    Server,
    ServerVersion,
    Settings,
    SlowQueries,
    TableInventory,
    TableStatistics,
    Wraparound,
)
from opsverify.probes.postgres.refusals import QueryRefused


def probe(target: Any, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    """Ask a `Database` all questions. Returns question → fact or ProbeError; raises Unreachable, or ProbeError
    when no read-only transaction can be opened."""
    from opsverify.probes.postgres.session import open_session

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
            query = steps.throw(outcome) if isinstance(outcome, QueryRefused) else steps.send(outcome)
        except StopIteration as finished:
            answers[question] = finished.value
        except QueryRefused as refused:
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


__all__ = [
    "Aged",
    "AppliedMigrations",
    "AppliedMigrationsFacts",
    "Clock",
    "ClockFacts",
    "Connect",
    "ConnectFacts",
    "Connections",
    "ConnectionsFacts",
    "Contents",
    "ContentsFacts",
    "HbaRule",
    "HbaRules",
    "HbaRulesFacts",
    "InvalidIndex",
    "InvalidObjects",
    "InvalidObjectsFacts",
    "Migration",
    "Role",
    "Roles",
    "RolesFacts",
    "RowCounts",
    "RowCountsFacts",
    "Server",
    "ServerVersion",
    "ServerVersionFacts",
    "Setting",
    "Settings",
    "SettingsFacts",
    "SlowQueries",
    "SlowQueriesFacts",
    "SlowQuery",
    "TableInventory",
    "TableInventoryFacts",
    "TableStatistic",
    "TableStatistics",
    "TableStatisticsFacts",
    "UnvalidatedConstraint",
    "Wraparound",
    "WraparoundFacts",
    "probe",
]
