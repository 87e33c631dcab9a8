"""A data endpoint, which proves API → ORM → database."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from opsverify.probes.http.body import parse_json, text_in
from opsverify.probes.http.login import ApiFailed
from opsverify.probes.http.timing import Timed
from opsverify.probes.tcp.transport import printable

if TYPE_CHECKING:
    from opsverify.probes.http.session import Session
    from opsverify.probes.http.transport import Answer


@dataclass(frozen=True)
class Smoke:
    """To an Api: does its data endpoint answer in the documented shape? Answer: `DataAnswer`.

    Needs the Api's login or token, where the API wants one.
    """

    def answer(self, session: Session) -> DataAnswer:
        return _ask(session, lambda: [session.get(session.target.url + session.target.smoke_path, with_token=True)])


@dataclass(frozen=True)
class Cats:
    """To an Api: the same of the cats endpoint, timed. Answer: `DataAnswer`. Needs the Api's login or token.

    Without one the API's guard answers 401 before any query runs: `authenticated` tells which was measured.
    """

    def answer(self, session: Session) -> DataAnswer:
        return _ask(session, lambda: session.samples(session.target.url + session.target.cats_path, with_token=True))


@dataclass(frozen=True)
class DataAnswer(Timed):
    """The answer of a data endpoint.

    `shape_ok`: exactly 200 and `{"success":true,"data":[…],"meta":{total,page,limit,totalPages}}`; `problems` lists
    every difference. `rows`, `total`: of this page and of all, where the body has them. `error_code`: the API's own
    (`error.code`). `authenticated`: a token was sent, or a login tried. `cached_seconds`: how long ago a cache on the
    way got the oldest of the answers, None where none came from one. `redirected`: where the path led first.
    """

    status: int
    shape_ok: bool
    problems: tuple[str, ...]
    rows: int | None
    total: int | None
    error_code: str | None
    authenticated: bool
    rate_limited: bool
    retry_after: float | None
    content_type: str | None
    excerpt: str
    cached_seconds: float | None = None
    redirected: str | None = None


def _ask(session: Session, ask: Callable[[], list[Answer]]) -> DataAnswer:
    try:
        return _data_answer(session, ask(), session.authenticates)
    except ApiFailed as failure:
        seen = _data_answer(session, [failure.answer], session.authenticates)
        return replace(seen, shape_ok=False, problems=(f"its login answers {failure.answer.status}",))


def _data_answer(session: Session, answers: list[Answer], authenticated: bool) -> DataAnswer:
    bad = (answer for answer in answers if data_problems(answer.status, parse_json(answer.body)))
    judged = next(bad, answers[0])
    body = parse_json(judged.body)
    problems = data_problems(judged.status, body)
    if problems and judged.redirected:
        problems = (judged.redirected, *problems)
    ages = [answer.cached_seconds for answer in answers if answer.cached_seconds is not None]
    data = body.get("data") if isinstance(body, dict) else None
    meta = body.get("meta") if isinstance(body, dict) else None
    error = body.get("error") if isinstance(body, dict) else None
    return DataAnswer(
        timings=tuple(answer.timing for answer in answers),
        status=judged.status,
        shape_ok=not problems,
        problems=problems,
        rows=len(data) if isinstance(data, list) else None,
        total=meta["total"] if isinstance(meta, dict) and _is_count(meta.get("total")) else None,
        error_code=text_in(error.get("code")) if isinstance(error, dict) else None,
        authenticated=authenticated,
        rate_limited=judged.rate_limited,
        retry_after=judged.retry_after,
        content_type=judged.media_type,
        excerpt=session.excerpt(judged.text),
        cached_seconds=max(ages, default=None),
        redirected=judged.redirected,
    )


def data_problems(status: int, body: Any) -> tuple[str, ...]:
    """What differs from 200 and `{"success":true,"data":[…],"meta":{total,page,limit,totalPages}}`; pure."""
    problems = [] if status == 200 else [f"status {status} instead of 200"]
    if not isinstance(body, dict):
        return (*problems, "the body is no JSON object")
    if body.get("success") is not True:
        problems.append(f"success is {_brief(body.get('success'))} instead of true")
    if not isinstance(body.get("data"), list):
        problems.append(f"data is {_kind(body.get('data'))} instead of a list")
    meta = body.get("meta")
    if not isinstance(meta, dict):
        problems.append(f"meta is {_kind(meta)} instead of an object")
        return tuple(problems)
    problems += [
        f"meta.{key} is {_brief(meta.get(key))} instead of a count"
        for key in ("total", "page", "limit", "totalPages")
        if not _is_count(meta.get(key))
    ]
    return tuple(problems)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _kind(value: Any) -> str:
    names: Mapping[type, str] = {
        type(None): "missing",
        dict: "an object",
        list: "a list",
        str: "text",
        bool: "a boolean",
    }
    return names.get(type(value), "a number")


def _brief(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)):
        return _kind(value)
    return printable(json.dumps(value), 40)
