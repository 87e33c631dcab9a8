"""What was seen, as entries of a draft: one module for each subject, pure.

A value that was seen is found; one that is likely is a guess, with why; what cannot be known is missing, with the line
to add. Nothing here decides that something does not exist: that is `opsverify.discover.absent`.
"""

from __future__ import annotations

from opsverify.discover.draft import Draft
from opsverify.discover.seen import Seen
from opsverify.discover.understanding import (
    backups,
    databases,
    documents,
    folders,
    hosts,
    jobs,
    logs,
    releases,
    services,
    web,
)


def understand(seen: Seen, draft: Draft, ca_file: str | None) -> None:
    """Add to the draft all that was seen."""
    databases.understand(seen, draft)
    for subject in (hosts, services, releases, logs, folders, jobs, backups, documents, web):
        subject.understand(seen, draft)
    services.several_backends(draft)
    for entry in draft.entries:
        if ca_file and entry.kind in ("apis", "frontends", "proxies", "certificates"):
            entry.body["ca_file"] = ca_file


__all__ = ["understand"]
