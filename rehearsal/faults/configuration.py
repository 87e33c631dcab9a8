"""Backends that run with other settings than they should, on other programs than they should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rehearsal.faults.doing import backend, edited, program, users_come
from rehearsal.faults.fault import ALERT, UNDETERMINED, WARNING, fault
from rehearsal.parts.checkout import PLACEHOLDER

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal

NO_LOGIN = {
    "api-smoke[blue]": ALERT,
    "cats-response-time[blue]": ALERT,
    "public-api[public]": ALERT,
}
"""Without a secret no token can be signed: the API fails at every login."""


@fault(
    "CORS_ORIGIN is not set.",
    {
        "cors-behaviour[blue]": ALERT,
        "cors-origins[backend-blue]": ALERT,
        "required-variables[backend-blue]": ALERT,
    },
)
def variable_missing(whole: Rehearsal) -> Iterator[None]:
    with backend(whole, CORS_ORIGIN=None):
        yield


@fault("NODE_ENV says development.", {"node-env[backend-blue]": ALERT, "node-env[blue]": ALERT})
def node_env_wrong(whole: Rehearsal) -> Iterator[None]:
    with backend(whole, NODE_ENV="development"):
        yield


@fault("JWT_SECRET is a short word.", {"jwt-secret-strength[backend-blue]": ALERT})
def jwt_secret_weak(whole: Rehearsal) -> Iterator[None]:
    with backend(whole, JWT_SECRET="summer-of-2025"):
        yield


@fault(
    "JWT_SECRET is the example that the repository publishes.",
    {"jwt-secret-strength[backend-blue]": ALERT, "published-secrets[backend-blue]": ALERT},
)
def jwt_secret_published(whole: Rehearsal) -> Iterator[None]:
    with backend(whole, JWT_SECRET=PLACEHOLDER):
        yield


@fault(
    "JWT_SECRET is not set: the default that the repository publishes is in force.",
    {
        **NO_LOGIN,
        "jwt-secret-strength[backend-blue]": ALERT,
        "published-secrets[backend-blue]": ALERT,
        "required-variables[backend-blue]": ALERT,
    },
)
def jwt_secret_missing(whole: Rehearsal) -> Iterator[None]:
    with backend(whole, JWT_SECRET=None):
        yield


@fault(
    "DATABASE_URL names another database of the server.",
    {
        "access-log-server-errors[access]": WARNING,
        "api-smoke[blue]": ALERT,
        "application-log-errors[application]": ALERT,
        "cats-response-time[blue]": ALERT,
        "public-api[public]": ALERT,
        "database-url[backend-blue]": ALERT,
    },
)
def database_url_foreign(whole: Rehearsal) -> Iterator[None]:
    url = whole.backends["blue"].env["DATABASE_URL"]
    with backend(whole, DATABASE_URL=re.sub(r"/[^/]*$", "/postgres", url)):
        users_come(whole)
        yield


@fault(
    "CORS_ORIGIN allows a plain http address instead of the site's own.",
    {"cors-behaviour[blue]": ALERT, "cors-origins[backend-blue]": ALERT},
)
def cors_plain_http(whole: Rehearsal) -> Iterator[None]:
    with backend(whole, CORS_ORIGIN="http://mycats.example.com"):
        yield


@fault("CORS_ORIGIN lets everybody in.", {"cors-behaviour[blue]": ALERT, "cors-origins[backend-blue]": ALERT})
def cors_everybody(whole: Rehearsal) -> Iterator[None]:
    with backend(whole, CORS_ORIGIN="*"):
        yield


@fault("The API answers an origin that it does not know with an error.", {"cors-behaviour[blue]": WARNING})
def cors_refused_with_error(whole: Rehearsal) -> Iterator[None]:
    with backend(whole, CORS_ERROR="1"):
        yield


@fault(
    "The password of the checks' own account was changed: no login.",
    {
        "api-smoke[blue]": UNDETERMINED,
        "cats-response-time[blue]": UNDETERMINED,
        "public-api[public]": UNDETERMINED,
    },
)
def login_refused(whole: Rehearsal) -> Iterator[None]:
    with backend(whole, LOGIN_PASSWORD="another one"):
        yield


@fault("The API's health answer says nothing about the database.", {"api-health-database[blue]": WARNING})
def health_without_database(whole: Rehearsal) -> Iterator[None]:
    with backend(whole, HEALTH_CHECK_DATABASE="false"):
        yield


@fault("An old Node.js is installed where the host looks first.", {"node-version[backend-blue]": ALERT})
def node_outdated(whole: Rehearsal) -> Iterator[None]:
    with program(whole, "node", "echo v18.20.4"):
        yield


@fault("psql and pg_dump are older than the server.", {"postgres-client-version[main]": ALERT})
def clients_outdated(whole: Rehearsal) -> Iterator[None]:
    with (
        program(whole, "psql", "echo 'psql (PostgreSQL) 14.9'"),
        program(whole, "pg_dump", "echo 'pg_dump (PostgreSQL) 14.9'"),
    ):
        yield


@fault(
    "The runbook asks for a newer PostgreSQL than the server is.",
    {
        "postgres-server-version[primary]": ALERT,
        "release-clean[checkout]": ALERT,
        "runbook-agrees[runbook]": ALERT,
    },
    changes={"checks": {"postgres-server-version": {"settings": {"minimum_major": 99}}}},
)
def server_outdated(whole: Rehearsal) -> Iterator[None]:
    with edited(whole.layout.runbook, lambda text: text.replace("15.x", "99.x")):
        yield


@fault(
    "Support of Node.js ended yesterday.",
    {"supported-versions[backend-blue]": ALERT},
    changes={
        "checks": {
            "supported-versions": {
                "band": {"above": 90, "alert_below": 0},
                "settings": {
                    "nodejs": dict.fromkeys(("20", "22", "24"), "2020-01-01"),
                    "postgresql": dict.fromkeys(("14", "15", "16", "17", "18"), "2999-01-01"),
                },
            }
        }
    },
)
def support_ended(whole: Rehearsal) -> Iterator[None]:
    yield
