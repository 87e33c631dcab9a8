"""How a run logs in to an API: once, and again only where the API no longer takes the token.

A login may be counted, throttled or answered with a locked account, so a refusal is remembered as well.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from opsverify.errors import Cause, ProbeError
from opsverify.probes.http.body import parse_json
from opsverify.probes.mark import REQUEST_ID

if TYPE_CHECKING:
    from opsverify.config.environment import Api, Login
    from opsverify.probes.http.transport import Answer, Client

FORM = "application/x-www-form-urlencoded"


REFUSALS = (400, 401, 403, 422, 429)
"""What an API says to an account that it does not let in. Anything else says something about the API."""


class ApiFailed(Exception):
    """What answered the login is no login (404) or ill (5xx): it is the system that is at fault, not our account."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class _Account:
    """One account of one API in this process, with what its login gave."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.token = ""
        self.refusal = ""


_accounts: dict[object, _Account] = {}
_accounts_lock = threading.Lock()


def log_in(api: Api, client: Callable[[], Client], refused_token: str = "") -> str:
    """The bearer token for an API that has a login; a new one where `refused_token` is the one that is known.

    Raises ProbeError for an account that is not let in, with the API as its cause, and ApiFailed.
    """
    assert api.login is not None
    with _accounts_lock:
        # The same account behind the public address is the same: a token of one is good for the other.
        account = _accounts.setdefault((api.environment, api.login), _Account())
    with account.lock:
        if not account.refusal and account.token in ("", refused_token):
            try:
                account.token = _new_token(api, api.login, client)
            except _Refused as refused:
                account.refusal = str(refused)
        if account.refusal:
            error = ProbeError(account.refusal)
            error.cause = Cause(f"login {api.login.username}", account.refusal)
            raise error
        return account.token


def _new_token(api: Api, login: Login, client: Callable[[], Client]) -> str:
    media_type, body = _request(login)
    address = urljoin(api.url, login.path)
    if login.grant == "json":
        address += f"?{REQUEST_ID}"  # which My Cats logs, should it fail
    with client() as connection:
        answer = connection.send("POST", address, {"Content-Type": media_type}, body)
    if answer.status in REFUSALS:
        why = "rate-limited" if answer.rate_limited else "refused"
        raise _Refused(f"the login as {login.username} is {why}: {answer.status} from {login.path}")
    if answer.status not in (200, 201):
        raise ApiFailed(answer)
    place = login.token_at or ("data.access_token" if login.grant == "json" else "access_token")
    token = _at(parse_json(answer.body), place)
    if token is None:
        raise _Refused(f"the login as {login.username} gave no token: there is none at {place}")
    return token


class _Refused(Exception):
    """Why the account was not let in, for people."""


def _request(login: Login) -> tuple[str, bytes]:
    """Media type and body: JSON as My Cats takes it, or a form as OAuth 2 has it (RFC 6749, 4.3.2 and 4.4.2)."""
    password = login.password.get_secret_value()
    if login.grant == "json":
        return "application/json", json.dumps({login.username_field: login.username, "password": password}).encode()
    from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient

    client: Any
    if login.grant == "password":
        secret = login.client_secret.get_secret_value() if login.client_secret else None
        client = LegacyApplicationClient(login.client_id or "")
        form = client.prepare_request_body(
            login.username,
            password,
            scope=login.scope,
            include_client_id=login.client_id is not None,
            client_secret=secret,
        )
    else:
        client = BackendApplicationClient(login.username)
        form = client.prepare_request_body(scope=login.scope, include_client_id=True, client_secret=password)
    return FORM, form.encode()


def _at(body: Any, place: str) -> str | None:
    """What stands in a JSON answer at keys joined by dots, where it is text that a header can carry."""
    for key in place.split("."):
        body = body.get(key) if isinstance(body, dict) else None
    return body if isinstance(body, str) and body.isascii() and body.isprintable() and " " not in body else None


__all__ = ["ApiFailed", "log_in"]
