"""A document behind an http(s) address: one GET, bounded as the HTTP probe's are (2 MiB, the deadline, redirects)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.host.files.text_file import DocumentText

if TYPE_CHECKING:
    from opsverify.config.environment import Document


@dataclass(frozen=True)
class WebDocument:
    """Fetch the document. Answer: `DocumentText`. Privileges: what the target's headers carry; none by default."""


def probe(target: Document, questions: frozenset[WebDocument], deadline: Deadline) -> dict[WebDocument, DocumentText]:
    """Fetch a `Document` whose location is an address. Raises Unreachable, or ProbeError for no usable answer."""
    from opsverify.probes.http.session import Session

    with Session(target, deadline) as session, session.client(target.location) as client:
        answer = client.get(target.location)
    if answer.status in (401, 403):
        raise MissingPrivilege(f"its address answers {answer.status}: give it a header that may read it")
    if answer.status not in (200, 404, 410):
        raise ProbeError(f"its address answers {answer.status} instead of the document")
    if answer.truncated:
        raise ProbeError(f"it is larger than {len(answer.body):,} bytes: it was not read")
    if answer.status == 200 and answer.media_type == "text/html":
        raise ProbeError("its address answers a web page: use the one of the Markdown text (often called raw)")
    exists = answer.status == 200
    fact = DocumentText(target.location, exists, answer.text if exists else "")
    return dict.fromkeys(questions, fact)
