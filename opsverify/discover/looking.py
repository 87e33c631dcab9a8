"""Every source asked at the same time, by the suite's own probes, within their deadlines."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from opsverify.config.environment import Api, Database
from opsverify.discover.arguments import Wanted
from opsverify.discover.seen import QUESTIONS, DatabaseSeen, HostSeen, Seen, WebSeen
from opsverify.errors import ProbeError
from opsverify.evidence.collect import Evidence, collect
from opsverify.evidence.query import Query
from opsverify.probes.host.probe import probe as host_probe
from opsverify.probes.http.probe import probe as http_probe
from opsverify.probes.http.redirect import Redirect
from opsverify.probes.http.usual_paths import UsualPaths
from opsverify.probes.postgres.itself import Itself
from opsverify.probes.postgres.probe import probe as postgres_probe

HOST_SECONDS = 30.0
"""For the one round trip to a host: more than a run's, as folders are searched."""


def look(wanted: Wanted) -> Seen:
    """What there is; what does not answer says why, and keeps no other from answering."""
    hosts = [Query(host_probe, host, question, HOST_SECONDS) for host in wanted.hosts for question in QUESTIONS]
    apis = [
        Api.model_validate({"name": f"url{number}", "environment": "discover", "url": url, "ca_file": wanted.ca_file})
        for number, url in enumerate(wanted.urls)
    ]
    webs = [Query(http_probe, api, question) for api in apis for question in (UsualPaths(), Redirect())]
    databases = [
        Database(name=f"database{number}", environment="discover", dsn=SecretStr(source.dsn))
        for number, source in enumerate(wanted.databases)
    ]
    evidence = collect([*hosts, *webs, *(Query(postgres_probe, one, Itself()) for one in databases)])
    return Seen(
        [_host(evidence, host) for host in wanted.hosts],
        [_web(evidence, api) for api in apis],
        [
            DatabaseSeen(source, *_answer(evidence, Query(postgres_probe, database, Itself())))
            for source, database in zip(wanted.databases, databases, strict=True)
        ],
    )


def _host(evidence: Evidence, host: Any) -> HostSeen:
    answers: dict[Any, Any] = {}
    causes = []
    for question in QUESTIONS:
        try:
            answers[question] = evidence.of(Query(host_probe, host, question))
        except ProbeError as error:
            answers[question] = error
            causes.append(str(error))
    # What failed for all questions failed for the host, and is told once.
    lost = causes[0] if len(causes) == len(QUESTIONS) and len(set(causes)) == 1 else ""
    return HostSeen(host, answers, lost)


def _web(evidence: Evidence, api: Api) -> WebSeen:
    paths, lost = _answer(evidence, Query(http_probe, api, UsualPaths()))
    redirect = _answer(evidence, Query(http_probe, api, Redirect()))[0] if not lost else None
    return WebSeen(api.url, paths, redirect, lost)


def _answer(evidence: Evidence, query: Query) -> tuple[Any, str]:
    try:
        return evidence.of(query), ""
    except ProbeError as error:
        return None, str(error)


__all__ = ["look"]
