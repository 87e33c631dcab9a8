"""What the API and the front end answer over HTTP.

`probe` takes an `Api`, a `Frontend` or a `Proxy` and the questions defined in `facts`. Importing this is cheap:
requests is loaded when a probe runs. A run spends few requests and keeps them apart: the API allows 100 a minute, nginx
in front of it 10 a second on /api/ and 30 on /.
"""

from __future__ import annotations

from typing import Any

from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence import DaemonThreads, Deadline
from opsverify.probes.http.facts import (
    Asset,
    Cats,
    ClockReading,
    Cors,
    CorsFacts,
    DataAnswer,
    Grant,
    HeaderFacts,
    Headers,
    Health,
    HealthFacts,
    Maintenance,
    MaintenanceFacts,
    OriginAnswer,
    Page,
    PageFacts,
    Redirect,
    RedirectFacts,
    Smoke,
    Timing,
)


def probe(target: Any, questions: frozenset[Any], deadline: Deadline) -> dict[Any, Any]:
    """Ask an `Api`, `Frontend` or `Proxy` all questions, each in a thread of its own so that none waits for a slow one.

    Returns question → fact or ProbeError. Raises one Unreachable when no question got an answer.
    """
    from opsverify.probes.http.asking import Asker

    with Asker(target, deadline) as asker, DaemonThreads() as threads:
        calls = {question: threads.submit(_ask, asker, question) for question in questions}
        answers = {question: call.result() for question, call in calls.items()}
    # Plain http on another port says nothing about the target's own address.
    told = [answer for question, answer in answers.items() if not isinstance(question, Redirect)]
    lost = [answer for answer in told if isinstance(answer, Unreachable)]
    if lost and len(lost) == len(told):
        raise Unreachable(str(lost[0]))
    # Something else answered, so the target is reachable: a lost question is that question's own trouble.
    return {q: ProbeError(str(a)) if isinstance(a, Unreachable) else a for q, a in answers.items()}


def _ask(asker: Any, question: Any) -> Any:
    try:
        return asker.answer(question)
    except ProbeError as error:
        return type(error)(str(error))
    except Exception as error:  # one question's bug costs that question; its text may hold a secret
        return ProbeError(f"{type(question).__name__} failed with {type(error).__name__}: please report this")


__all__ = [
    "Asset",
    "Cats",
    "ClockReading",
    "Cors",
    "CorsFacts",
    "DataAnswer",
    "Grant",
    "HeaderFacts",
    "Headers",
    "Health",
    "HealthFacts",
    "Maintenance",
    "MaintenanceFacts",
    "OriginAnswer",
    "Page",
    "PageFacts",
    "Redirect",
    "RedirectFacts",
    "Smoke",
    "Timing",
    "probe",
]
