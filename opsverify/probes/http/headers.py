"""The security headers of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsverify.probes.http.session import Session


@dataclass(frozen=True)
class Headers:
    """To an Api, Frontend or Proxy: the security headers of its answer. Answer: `HeaderFacts`. No privilege needed.

    `path`: what to ask for; none: the target's health path, or its page.
    """

    path: str = ""

    def answer(self, session: Session) -> HeaderFacts:
        path = self.path or getattr(session.target, "health_path", "/")
        with session.client() as client:
            answer = client.get(session.target.url + path)
        return HeaderFacts(
            status=answer.status,
            over_tls=answer.url.startswith("https://"),
            strict_transport_security=answer.header("Strict-Transport-Security"),
            content_type_options=answer.header("X-Content-Type-Options"),
            frame_options=answer.header("X-Frame-Options"),
            content_security_policy=answer.header("Content-Security-Policy"),
            referrer_policy=answer.header("Referrer-Policy"),
            permissions_policy=answer.header("Permissions-Policy"),
            server=answer.header("Server"),
            powered_by=answer.header("X-Powered-By"),
            rate_limited=answer.rate_limited,
        )


@dataclass(frozen=True)
class HeaderFacts:
    """Security headers of the answer to one GET, None where absent, bounded."""

    status: int
    over_tls: bool
    strict_transport_security: str | None
    content_type_options: str | None
    frame_options: str | None
    content_security_policy: str | None
    referrer_policy: str | None
    permissions_policy: str | None
    server: str | None
    powered_by: str | None
    rate_limited: bool
