"""Checkouts with migrations."""

from __future__ import annotations

from posixpath import basename

from opsverify.discover.draft import Draft, Entry
from opsverify.discover.seen import Seen
from opsverify.discover.understanding.names import checkouts_of_the_system, named

LOCK_FILES = ("pnpm-lock.yaml", "package-lock.json", "yarn.lock", "bun.lockb")


def understand(seen: Seen, draft: Draft) -> None:
    """The checkouts of every host."""
    database = next((entry.name for entry in draft.of("databases")), "primary")
    for host in seen.hosts:
        for one in checkouts_of_the_system(host):
            lock = [file.removeprefix(f"{one.path}/") for file in one.named(*LOCK_FILES)]
            schema = [file.removeprefix(f"{one.path}/") for file in one.named("schema.prisma")]
            facts = ["a git checkout" if one.git else "no git checkout", *lock[:1], *schema[:1]]
            for file in dict.fromkeys(service.file for service in one.composed):
                names = ", ".join(service.name for service in one.composed if service.file == file)
                facts.append(f"{basename(file)} names {names}")
            base = "release" if len(seen.hosts) < 2 else basename(one.path)
            body = {"host": host.host.name, "path": one.path, "database": database}
            entry = Entry("releases", named(base, host, seen), body, ", ".join(facts))
            if len(list(draft.of("databases"))) > 1:
                entry.guesses["database"] = "the first one that was given"
            if not schema:
                entry.missing.append("no schema.prisma was found in it: excuse what is about migrations")
            draft.add(entry)


__all__ = ["LOCK_FILES", "understand"]
