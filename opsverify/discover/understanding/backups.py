"""Backup folders, and the patterns of what is in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from opsverify.discover.draft import Draft, Entry
from opsverify.discover.seen import HostSeen, Seen
from opsverify.discover.understanding.names import checkouts_of_the_system, named

DATABASE = re.compile(r"\.(sql|dump|pgdump|backup)(\.(gz|zst|xz|bz2|gpg))?$")
ARCHIVE = re.compile(r"\.(tar(\.(gz|zst|xz|bz2|gpg))?|tgz|zip)$")
_OF_DEBIAN = re.compile(r"^(alternatives|dpkg)\.")
_USUAL = {"database_pattern": "db_*.sql", "application_pattern": "app_*.tar.gz"}


def understand(seen: Seen, draft: Draft) -> None:
    """The backup folders of every host that hold dumps; the checkout's own are the weekly ones."""
    database = next((entry.name for entry in draft.of("databases")), "primary")
    for host in seen.hosts:
        for path, names in _folders(host):
            dumps, archives = pattern(names, DATABASE), pattern(names, ARCHIVE)
            if not dumps:
                continue
            body = {"host": host.host.name, "path": path, "database": database}
            found = f"{len(names)} files, the newest {names[0]}"
            entry = Entry("backups", named("backups", host, seen), body, found)
            for key, found_pattern in (("database_pattern", dumps), ("application_pattern", archives)):
                if found_pattern and found_pattern != _USUAL[key]:
                    body[key] = found_pattern
            if not archives:
                entry.missing.append("no archive of the application was found beside the dumps; where there is one:\n"
                                     "application_pattern: app_*.tar.gz")  # fmt: skip
            draft.add(entry)


def _folders(host: HostSeen) -> Iterator[tuple[str, tuple[str, ...]]]:
    weekly = {folder for one in checkouts_of_the_system(host) for folder in one.folders}
    for folder in host.backups.folders:
        names = tuple(name for name in folder.names if not _OF_DEBIAN.match(name))
        if names and folder.path not in weekly:
            yield folder.path, names


def pattern(names: Iterable[str], kind: re.Pattern[str]) -> str:
    """The pattern of most of the names of a kind, with * for what changes from one to the next; "" for none."""
    shapes = Counter(re.sub(r"[0-9][0-9_TZ.:-]*[0-9]|[0-9]+", "*", name) for name in names if kind.search(name))
    if not shapes:
        return ""
    shape = shapes.most_common(1)[0][0]
    return re.sub(r"\*[*_.-]*\*", "*", shape)


__all__ = ["pattern", "understand"]
