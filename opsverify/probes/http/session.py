"""What the questions to one target share: limits, trust, and the target's headers and token."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from opsverify.evidence.deadline import Deadline
from opsverify.probes.http.login import log_in
from opsverify.probes.http.transport import Answer, Client, Pace
from opsverify.probes.tcp.transport import Resolved, Watchdog, printable, trusting

if TYPE_CHECKING:
    import ssl

API_PACE = 0.12
PAGE_PACE = 0.04
"""Seconds between requests: below nginx's 10 r/s on /api/ and 30 r/s on /, without any burst allowance."""


class Session:
    """One probe's way to one target. Each question gets clients, and so connections, of its own."""

    def __init__(self, target: Any, deadline: Deadline) -> None:
        self.target = target
        self.deadline = deadline
        self._watchdog = Watchdog(deadline)
        self._pace = Pace(API_PACE if hasattr(target, "health_path") else PAGE_PACE)
        self._context: ssl.SSLContext = trusting(target.ca_file)
        self._headers = {name: value.get_secret_value() for name, value in target.headers.items()}
        token = getattr(target, "token", None)
        self._token = token.get_secret_value() if token is not None else ""
        self._logs_in = getattr(target, "login", None) is not None

    def __enter__(self) -> Session:
        self._watchdog.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watchdog.__exit__(kind, error, trace)

    @property
    def authenticates(self) -> bool:
        """Whether there is a token, or a login that gives one."""
        return self._logs_in or bool(self._token)

    def client(self, base: str | None = None, with_token: bool = False, only: Resolved | None = None) -> Client:
        """A client with connections of its own. The token goes along only where it is asked for.

        `only`: the one address of the target's to connect to.
        """
        headers = dict(self._headers)
        if with_token and self._logs_in and not self._token:
            self._token = log_in(self.target, self.client)
        if with_token and self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return Client(base or self.target.url, self.deadline, self._watchdog, self._pace, self._context, headers, only)

    def get(self, url: str, with_token: bool = False) -> Answer:
        """One GET over a connection of its own, after a new login where the token is no longer taken."""
        with self.client(with_token=with_token) as client:
            answer = client.get(url)
        if not (with_token and self._logs_in and answer.status == 401):
            return answer
        self._token = log_in(self.target, self.client, refused_token=self._token)
        with self.client(with_token=True) as client:
            return client.get(url)

    def samples(self, url: str, with_token: bool = False) -> list[Answer]:
        """`target.samples` answers over fresh connections.

        None more after one that is an error or rate-limited, nor when half of the time is gone: a sample that has too
        little of it left would be lost, and take those before it along.
        """
        answers = [self.get(url, with_token)]
        while (
            len(answers) < self.target.samples
            and answers[-1].status < 400
            and self.deadline.left > self.deadline.seconds / 2
        ):
            answers.append(self.get(url, with_token))
        return answers

    def excerpt(self, text: str) -> str:
        """The beginning of an answer, without the secrets we sent should it echo them."""
        text = text[:4096]
        for secret in (*self._headers.values(), self._token):
            if secret and len(secret) >= 4:
                text = text.replace(secret, "…")
        return printable(text)
