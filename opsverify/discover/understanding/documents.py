"""The operators' documents, and the script that sends alerts."""

from __future__ import annotations

import re
from posixpath import basename

from opsverify.discover.draft import Draft, Entry
from opsverify.discover.seen import Seen
from opsverify.discover.understanding.names import checkouts_of_the_system, named


def understand(seen: Seen, draft: Draft) -> None:
    """Of the checkouts of every host."""
    for host in seen.hosts:
        for one in checkouts_of_the_system(host):
            scripts = [f for f in one.files if re.search(r"alert|notify", basename(f)) and f.endswith(".sh")]
            if scripts:
                chosen = min(scripts, key=lambda f: (basename(f) != "send-alert.sh", len(f)))
                entry = Entry("alerts", named("alerts", host, seen), {"host": host.host.name, "script": chosen},
                              "a script of the checkout")  # fmt: skip
                if basename(chosen) != "send-alert.sh":
                    entry.guesses["script"] = "by its name only"
                entry.missing.append("arrives_in: a file or folder in which a test alert shows, for the alert drill")
                draft.add(entry)
            runbooks = [f for f in one.files if re.search(r"(runbook|operation)[^/]*\.md$", f, re.IGNORECASE)]
            if runbooks:
                chosen = min(runbooks, key=lambda f: ("/docs/" not in f, len(f)))
                body = {"holds": "runbook", "host": host.host.name, "location": chosen}
                entry = Entry("documents", named("runbook", host, seen), body, "a document of the checkout")
                if len(runbooks) > 1:
                    entry.guesses["location"] = f"there are also {', '.join(f for f in runbooks if f != chosen)[:200]}"
                draft.add(entry)
            if logs := one.named("operations.log"):
                body = {"holds": "operations log", "host": host.host.name, "location": logs[0]}
                draft.add(Entry("documents", named("operations-log", host, seen), body, "a file of the checkout"))


__all__ = ["understand"]
