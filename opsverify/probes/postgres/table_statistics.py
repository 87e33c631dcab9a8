"""Changes, dead rows and the last ANALYZE and VACUUM of every table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsverify.probes.postgres.question import Server, Statement, Steps, time_of, time_or_none


@dataclass(frozen=True)
class TableStatistics:
    """Answer: `TableStatisticsFacts`. Any role."""

    def steps(self, server: Server) -> Steps:
        """One query for the tables, one for their frame."""
        frame = (
            yield Statement(
                "SELECT clock_timestamp() AS now, pg_is_in_recovery() AS recovery,"
                " (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()) AS since"
            )
        ).rows[0]
        rows = (
            yield Statement(
                "SELECT schemaname, relname, n_live_tup, n_dead_tup, n_mod_since_analyze,"
                " greatest(last_analyze, last_autoanalyze) AS analyzed,"
                " greatest(last_vacuum, last_autovacuum) AS vacuumed"
                " FROM pg_stat_user_tables WHERE schemaname NOT LIKE 'pg\\_temp\\_%' ORDER BY schemaname, relname"
            )
        ).rows
        return TableStatisticsFacts(
            tuple(
                TableStatistic(
                    row["schemaname"],
                    row["relname"],
                    row["n_live_tup"],
                    row["n_dead_tup"],
                    row["n_mod_since_analyze"],
                    time_or_none(row["analyzed"]),
                    time_or_none(row["vacuumed"]),
                )
                for row in rows
            ),
            time_or_none(frame["since"]),
            time_of(frame["now"]),
            frame["recovery"],
        )


@dataclass(frozen=True)
class TableStatistic:
    """Planner and vacuum statistics of one table; `live_estimate` and `dead_estimate` are estimates.

    `analyzed_at`, `vacuumed_at`: by hand or by autovacuum, whichever was later; None: never since the statistics began.
    """

    schema: str
    name: str
    live_estimate: int
    dead_estimate: int
    modified_since_analyze: int
    analyzed_at: datetime | None
    vacuumed_at: datetime | None


@dataclass(frozen=True)
class TableStatisticsFacts:
    """`since`: when statistics were last reset, None: never. On a standby (`in_recovery`) they say nothing."""

    tables: tuple[TableStatistic, ...]
    since: datetime | None
    server_time: datetime
    in_recovery: bool
