"""What users get while the system is meant to be down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsverify.probes.http.html_document import read
from opsverify.probes.tcp.transport import printable

if TYPE_CHECKING:
    from opsverify.probes.http.session import Session


@dataclass(frozen=True)
class Maintenance:
    """To a Proxy: what do users get while the system is down? Answer: `MaintenanceFacts`. No privilege needed.

    `contains`: text that the page must hold; empty: any.
    """

    contains: str = ""

    def answer(self, session: Session) -> MaintenanceFacts:
        with session.client() as client:
            answer = client.get(session.target.url + "/")
        title = read(answer.text, answer.url, session.deadline).title
        return MaintenanceFacts(
            status=answer.status,
            retry_after=answer.retry_after,
            content_type=answer.media_type,
            title=None if title is None else printable(title, 120),
            contains_ok=self.contains in answer.text if self.contains else None,
            size=len(answer.body),
            excerpt=session.excerpt(answer.text),
        )


@dataclass(frozen=True)
class MaintenanceFacts:
    """The answer to a user's GET of the public page. `retry_after`: seconds, None where absent or not understood.

    `contains_ok` is None when no text is asked for. Texts are printable and bounded.
    """

    status: int
    retry_after: float | None
    content_type: str | None
    title: str | None
    contains_ok: bool | None
    size: int
    excerpt: str
