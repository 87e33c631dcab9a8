"""Folders that weekly maintenance keeps in order."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename, dirname

from opsverify.discover.draft import Draft, Entry
from opsverify.discover.seen import HostSeen, Seen
from opsverify.discover.understanding.names import checkouts_of_the_system, named

_NAMES = {
    "logs": "logs",
    "temporary files": "temporary",
    "weekly backups": "weekly-backups",
    "npm cache": "npm-cache",
    "next cache": "next-cache",
}


def understand(seen: Seen, draft: Draft) -> None:
    """The folders of every host, one of a kind."""
    for host in seen.hosts:
        for holds, path, found in _found(host):
            body = {"host": host.host.name, "holds": holds, "path": path}
            if not any(
                one.body["host"] == host.host.name and one.is_about("holds", holds) for one in draft.of("folders")
            ):
                draft.add(Entry("folders", named(_NAMES[holds], host, seen), body, found))


def _found(host: HostSeen) -> Iterator[tuple[str, str, str]]:
    for one in checkouts_of_the_system(host):
        at_root = {"logs": "logs", "temp": "temporary files", "tmp": "temporary files", "backup": "weekly backups",
                   "backups": "weekly backups"}  # fmt: skip
        for folder in sorted(one.folders, key=len):
            if dirname(folder) == one.path and basename(folder) in at_root:
                yield at_root[basename(folder)], folder, "a folder of the checkout"
            elif folder.endswith("/.next/cache"):
                yield "next cache", folder, "a folder of the front end"
        if caches := host.checkouts.npm_caches:
            yield (
                "npm cache",
                caches[0],
                "npm's own folder" + (f"; others: {', '.join(caches[1:4])}" if caches[1:] else ""),
            )


__all__ = ["understand"]
