"""What answers at the paths that are usual for a health check, for whoever does not know the address yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsverify.errors import ProbeError
from opsverify.probes.http.body import parse_json, text_in

if TYPE_CHECKING:
    from opsverify.probes.http.session import Session
    from opsverify.probes.http.transport import Answer


@dataclass(frozen=True)
class UsualPaths:
    """To an Api: what answers at these paths, one GET each? Answer: `PathsSeen`. No privilege needed."""

    paths: tuple[str, ...] = ("/", "/health", "/api/v1/health", "/api/health", "/healthz")

    def answer(self, session: Session) -> PathsSeen:
        seen = []
        for path in self.paths:
            try:
                with session.client() as client:
                    seen.append(_seen(path, client.get(session.target.url + path)))
            except ProbeError:
                if not seen:  # nothing answers at all
                    raise
        return PathsSeen(tuple(seen))


@dataclass(frozen=True)
class PathSeen:
    """`is_api`: the body is the API's own health. `is_next`: a page of Next.js. `environment`: what it calls itself."""

    path: str
    status: int
    media_type: str
    is_api: bool
    is_next: bool
    service: str
    environment: str
    knows_database: bool


@dataclass(frozen=True)
class PathsSeen:
    """One for each path that answered."""

    paths: tuple[PathSeen, ...]


def _seen(path: str, answer: Answer) -> PathSeen:
    body = parse_json(answer.body)
    inner = body.get("data") if isinstance(body, dict) else None
    data = inner if isinstance(inner, dict) else {}
    service = text_in(data.get("service")) or ""
    html = answer.media_type == "text/html"
    return PathSeen(
        path=path,
        status=answer.status,
        media_type=answer.media_type or "",
        is_api=isinstance(body, dict) and isinstance(body.get("success"), bool) and bool(service),
        is_next=html and "/_next/" in answer.text,
        service=service,
        environment=text_in(data.get("environment")) or "",
        knows_database="database" in data,
    )


__all__ = ["PathSeen", "PathsSeen", "UsualPaths"]
