"""Which origins the API grants (Fetch standard, "CORS protocol")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsverify.probes.mark import REQUEST_ID

if TYPE_CHECKING:
    from opsverify.probes.http.session import Session
    from opsverify.probes.http.transport import Answer


@dataclass(frozen=True)
class Cors:
    """To an Api: which origins does it grant? Answer: `CorsFacts`. No privilege needed."""

    allowed_origins: tuple[str, ...] = ()
    foreign_origin: str = "https://foreign.invalid"

    def answer(self, session: Session) -> CorsFacts:
        # Where browsers ask: /health of My Cats stands outside of what grants. An API may answer an origin that it does
        # not know with an error, and log that with the address: there it is to be told from a user's.
        url, foreign = f"{session.target.url}{session.target.cors_path}?{REQUEST_ID}", self.foreign_origin
        origins = []
        limited = False
        with session.client() as client:
            for origin in (*dict.fromkeys(self.allowed_origins), foreign):
                preflight = client.send("OPTIONS", url, {"Origin": origin, "Access-Control-Request-Method": "GET"})
                simple = client.send("GET", url, {"Origin": origin})
                limited = limited or preflight.rate_limited or simple.rate_limited
                origins.append(OriginAnswer(origin, origin != foreign, _grant(preflight), _grant(simple)))
        return CorsFacts(tuple(origins), limited)


@dataclass(frozen=True)
class Grant:
    """The CORS headers of one answer (Fetch standard, "CORS protocol"), None where absent."""

    status: int
    allow_origin: str | None
    allow_credentials: str | None

    def lets_in(self, origin: str) -> bool:
        """Whether a browser at `origin` may read the answer."""
        return self.allow_origin in ("*", origin)


@dataclass(frozen=True)
class OriginAnswer:
    """What one origin got. `expected`: it is one of the allowed ones; `preflight`: OPTIONS, `simple`: GET."""

    origin: str
    expected: bool
    preflight: Grant
    simple: Grant

    @property
    def granted(self) -> bool:
        """Whether the actual answer may be read from that origin."""
        return self.simple.lets_in(self.origin)

    @property
    def wildcard_with_credentials(self) -> bool:
        """`*` together with credentials: forbidden by the Fetch standard, and a sign of a careless setting."""
        return any(
            grant.allow_origin == "*" and (grant.allow_credentials or "").lower() == "true"
            for grant in (self.preflight, self.simple)
        )


@dataclass(frozen=True)
class CorsFacts:
    """One `OriginAnswer` per allowed origin, and one for a foreign origin."""

    origins: tuple[OriginAnswer, ...]
    rate_limited: bool


def _grant(answer: Answer) -> Grant:
    return Grant(
        answer.status,
        answer.header("Access-Control-Allow-Origin"),
        answer.header("Access-Control-Allow-Credentials"),
    )
