"""Whether the write-ahead log reaches its archive: what was archived last, what failed, what waits."""

# ruff: noqa: S608 - what is pasted in is our own text

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from opsverify.errors import MissingPrivilege
from opsverify.probes.postgres.question import Server, Statement, Steps, shown, time_of, time_or_none
from opsverify.probes.tcp.transport import printable

DOES_NOTHING = r"^\s*(((/usr)?/bin/)?(true|:|rem)(\s[^;&|<>]*)?|exit\s+0|cd\s+\.)\s*$"
"""Commands that succeed and keep nothing, as the manual proposes for switching archiving off without a restart."""


@dataclass(frozen=True)
class WalArchiving:
    """Answer: `WalArchivingFacts`. Any role; which segments wait needs pg_monitor.

    The command itself never leaves the server: it may hold the archive's keys.
    Source: manual, "pg_stat_archiver", "archive_mode", "archive_command" (one that does nothing), "archive_timeout".
    """

    def steps(self, server: Server) -> Steps:
        """One query for what was archived, one for what waits where this role may see it."""
        library = "coalesce(current_setting('archive_library', true), '')"
        row = (
            yield Statement(
                "SELECT current_setting('archive_mode') AS mode, pg_is_in_recovery() AS in_recovery,"
                f" {library} <> '' OR current_setting('archive_command') NOT IN ('', '(disabled)') AS configured,"
                f" {library} = '' AND current_setting('archive_command') ~* $1::text AS does_nothing,"
                " (SELECT setting::int FROM pg_settings WHERE name = 'archive_timeout') AS timeout,"
                " (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') AS segment_bytes,"
                " last_archived_wal, last_archived_time, last_failed_wal, last_failed_time,"
                " coalesce(stats_reset, pg_postmaster_start_time()) AS since, clock_timestamp() AS now,"
                " (SELECT (checkpoint_lsn - '0/0'::pg_lsn)::bigint FROM pg_control_checkpoint()) AS checkpoint,"
                " has_function_privilege('pg_catalog.pg_ls_archive_statusdir()', 'EXECUTE') AS may_list"
                " FROM pg_stat_archiver",
                (DOES_NOTHING,),
            )
        ).rows[0]
        waiting: int | None = None
        waiting_since: datetime | None = None
        if row["may_list"]:
            ready = (
                yield Statement(
                    "SELECT count(*) AS n, min(modification) AS oldest FROM pg_ls_archive_statusdir()"
                    " WHERE name LIKE '%.ready'"
                )
            ).rows[0]
            waiting, waiting_since = ready["n"], time_or_none(ready["oldest"])
        return WalArchivingFacts(
            mode=row["mode"],
            in_recovery=row["in_recovery"],
            configured=row["configured"],
            does_nothing=row["does_nothing"],
            timeout_seconds=row["timeout"],
            archived_at=time_or_none(row["last_archived_time"]),
            failed_at=time_or_none(row["last_failed_time"]),
            failed_segment=printable(row["last_failed_wal"] or "", 63),
            observed_since=time_of(row["since"]),
            observed_at=time_of(row["now"]),
            all_archived=row["checkpoint"] < _end_of(row["last_archived_wal"], row["segment_bytes"]),
            listed=waiting,
            waiting_since=waiting_since,
            role=server.role,
        )


def _end_of(segment: str | None, size: int) -> int:
    """The position in the log at which a segment ends, by its file's name; 0 for none, and for other files.

    A backup's label is named after the segment in which the backup began, a timeline's history after no segment.
    """
    name = re.match(r"[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})(?!\.partial)", segment or "")
    return (int(name[1], 16) << 32) + (int(name[2], 16) + 1) * size if name else 0


@dataclass(frozen=True)
class WalArchivingFacts:
    """What the archiver says of itself. `observed_since`: since when it counts (a crash makes it begin anew)."""

    mode: str
    """"off", "on", or "always": also on a standby."""
    in_recovery: bool
    configured: bool
    does_nothing: bool
    """Its command succeeds whatever happens, and keeps nothing."""
    timeout_seconds: int
    """After how long a segment is archived that is not full; 0: never."""
    archived_at: datetime | None
    failed_at: datetime | None
    failed_segment: str
    observed_since: datetime
    observed_at: datetime
    all_archived: bool
    """Nothing of weight was written after the last archived segment: an idle server has nothing to archive."""
    listed: int | None
    waiting_since: datetime | None
    role: str

    @property
    def active(self) -> bool:
        """Whether this server archives at all: a standby does only where the mode is "always"."""
        return self.mode == "always" or (self.mode == "on" and not self.in_recovery)

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self.failed_at is not None and (self.archived_at is None or self.failed_at > self.archived_at)

    @property
    def waiting(self) -> int:
        """Segments that are full and not archived; raises MissingPrivilege where they may not be seen."""
        if self.listed is None:
            role = shown(self.role)
            raise MissingPrivilege(
                f"how many segments wait to be archived: role {role} may not see them (GRANT pg_monitor TO {role})"
            )
        return self.listed

    @property
    def waiting_minutes(self) -> float:
        """For how long the oldest of them has waited; 0 where none does."""
        return _seconds(self.waiting_since, self.observed_at) / 60 if self.waiting_since else 0.0

    @property
    def silent_hours(self) -> float:
        """Since when nothing was archived though something was written; 0 where all there is is in the archive."""
        return 0.0 if self.all_archived else _seconds(self.archived_at or self.observed_since, self.observed_at) / 3600


def _seconds(earlier: datetime, later: datetime) -> float:
    return max(0.0, (later - earlier).total_seconds())


__all__ = ["WalArchiving", "WalArchivingFacts"]
