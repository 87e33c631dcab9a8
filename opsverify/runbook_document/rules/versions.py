"""What is wrong for the versions in use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsverify.runbook_document.package_scripts import script_name
from opsverify.runbook_document.rule import Command, Script, Sql, System, Words, rule

KIND = "wrong for the versions in use"

# (where it is a name of that kind, the old name, since which major version, the new name); release notes of PostgreSQL.
_RENAMED = (
    (r"pg_stat_statements", r"mean_time", 13, "mean_exec_time"),
    (r"pg_stat_statements", r"total_time", 13, "total_exec_time"),
    (r"pg_stat_statements", r"min_time", 13, "min_exec_time"),
    (r"pg_stat_statements", r"max_time", 13, "max_exec_time"),
    (r"pg_stat_statements", r"stddev_time", 13, "stddev_exec_time"),
    (r"pg_stat_statements", r"blk_read_time", 17, "shared_blk_read_time"),
    (r"pg_stat_statements", r"blk_write_time", 17, "shared_blk_write_time"),
    (r"pg_stat_activity", r"procpid", 10, "pid"),
    (r"pg_stat_activity", r"current_query", 10, "query"),
    (r"", r"pg_current_xlog_location", 10, "pg_current_wal_lsn"),
    (r"", r"pg_switch_xlog", 10, "pg_switch_wal"),
    (r"", r"pg_last_xlog_replay_location", 10, "pg_last_wal_replay_lsn"),
    (r"", r"pg_start_backup", 15, "pg_backup_start"),
    (r"", r"pg_stop_backup", 15, "pg_backup_stop"),
)


@rule(
    KIND,
    needs="the version of the databases",
    why="PostgreSQL has no {old} any more since {since}, and here it is {major}: the statement ends with an error",
    better="{new} instead of {old}",
    of_sql=True,
)
def renamed_in_postgresql(sql: Sql, system: System) -> Iterator[Words]:
    """SQL with a name that this version of PostgreSQL has no more: `mean_time`, `pg_start_backup`."""
    for among, old, since, new in _RENAMED:
        if re.search(rf"(?<![\w.]){old}\b|\.{old}\b", sql.text) and re.search(among, sql.text):
            major = system.postgres_major()
            if major is not None and major >= since:
                yield {"old": old, "new": new, "since": since, "major": major}


_LOCKS = {
    "pnpm-lock.yaml": "pnpm", "package-lock.json": "npm", "npm-shrinkwrap.json": "npm", "yarn.lock": "yarn",
    "bun.lockb": "bun", "bun.lock": "bun",
}  # fmt: skip
_BY_LOCK = {
    ("pnpm", "audit"): "pnpm audit --prod",
    ("pnpm", "audit fix"): "pnpm audit --fix, then pnpm install, and a review of what changed",
    ("pnpm", "install"): "pnpm install --frozen-lockfile",
    ("pnpm", "ci"): "pnpm install --frozen-lockfile",
    ("npm", "install"): "npm ci",
}
_VERBS = ("audit", "install", "i", "ci", "update", "upgrade", "outdated", "prune", "dedupe", "add", "remove")


@rule(
    KIND,
    needs="lock files of the checkouts",
    why="the checkout has {locks} and no lock file of {tool}: {tool} {verb} {how}",
    better="{better}",
)
def other_package_manager(command: Command, script: Script, system: System) -> Iterator[Words]:
    """`npm audit`, `npm ci`, `yarn install` beside another one's lock file."""
    if command.name not in ("npm", "pnpm", "yarn") or command.elsewhere or script_name(command):
        return
    words = [word.text for word in command.operands()]
    if not words or words[0] not in _VERBS or command.has("-g", "--global") or "global" in words:
        return
    locks = system.lock_files
    if not locks or command.name in {_LOCKS[lock] for lock in locks}:
        return
    lock = sorted(locks)[0]
    verb = " ".join(words[:2]) if words[:2] == ["audit", "fix"] else {"i": "install"}.get(words[0], words[0])
    how = (
        "always ends with ENOLOCK"
        if verb.startswith("audit") and command.name == "npm"
        else "resolves versions of its own"
    )
    better = _BY_LOCK.get((_LOCKS[lock], verb), f"{_LOCKS[lock]} {verb}")
    yield {"locks": lock, "tool": command.name, "verb": verb, "how": how, "better": better}
