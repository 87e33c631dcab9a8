"""Where plain http leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence.deadline import Deadline
from opsverify.probes.http.addresses import place_of
from opsverify.probes.tcp.transport import connect, resolve, unreachable

if TYPE_CHECKING:
    from opsverify.probes.http.session import Session

CONNECT_SECONDS = 5.0
"""For a connection to the port of plain http, which many a firewall drops."""


@dataclass(frozen=True)
class Redirect:
    """To an Api, Frontend or Proxy: where does plain http lead? Answer: `RedirectFacts`. No privilege needed.

    `http_url`: the address to try; none: the target's own with http and port 80.
    """

    http_url: str | None = None

    def answer(self, session: Session) -> RedirectFacts:
        parts = urlsplit(session.target.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        url = self.http_url or f"http://{host}/"
        shown, closed = url.partition("?")[0], _closed(session, url)
        if closed is not None:
            return RedirectFacts(shown, closed == "refused", closed == "dropped", None, None, False, False)
        try:
            # The target's client: it keeps the target's headers from other origins, and this one is in clear.
            with session.client() as client:
                answer = client.send("GET", url)
        except Unreachable as error:
            raise ProbeError(str(error)) from None
        location = answer.header("Location")
        try:
            goal = urlsplit(location or "")
            to_https = goal.scheme == "https" and goal.hostname == urlsplit(url).hostname
        except ValueError:
            to_https = False
        return RedirectFacts(
            http_url=shown,
            refused=False,
            dropped=False,
            status=answer.status,
            location=None if location is None else location.partition("?")[0],
            to_https=to_https and answer.status in (301, 302, 303, 307, 308),
            permanent=answer.status in (301, 308),
        )


@dataclass(frozen=True)
class RedirectFacts:
    """What plain http answered. `status` is None where nothing could be asked over it, which leaks nothing: `refused`,
    nothing listens there; `dropped`, a firewall lets nobody through (no connection within 5 s, or no route), though the
    host answers over https.

    `to_https`: it redirects to https of the same host; `permanent`: by 301 or 308; `location`: without query.
    """

    http_url: str
    refused: bool
    dropped: bool
    status: int | None
    location: str | None
    to_https: bool
    permanent: bool


def _closed(session: Session, url: str) -> str | None:
    """Why there is no connection to an address: "refused", or "dropped" by a firewall; None where there is one.

    Raises ProbeError where not the port but the whole host may be out of reach: one that https is not asked of.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    try:
        resolve(host, port, session.deadline)  # a slow resolver is no firewall
    except OSError as error:
        raise ProbeError(str(unreachable(place_of(url), error, session.deadline))) from None
    patience = Deadline(session.deadline.remaining(CONNECT_SECONDS))
    try:
        connect(host, port, patience).socket.close()
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        if host != urlsplit(session.target.url).hostname:
            raise ProbeError(str(unreachable(place_of(url), error, patience))) from None
        return "dropped"
    return None
