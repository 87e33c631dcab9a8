"""Replication slots: promises to keep the log for somebody, also for one who never comes back."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.errors import ProbeError
from opsverify.probes.postgres.question import Server, Statement, Steps
from opsverify.probes.tcp.transport import printable


@dataclass(frozen=True)
class ReplicationSlots:
    """Answer: `ReplicationSlotsFacts`, of the whole server. Any role.

    Source: manual, "pg_replication_slots" (restart_lsn: from where on the log is kept; wal_status "lost": it is not).
    """

    def steps(self, server: Server) -> Steps:
        """One query. A standby writes no log of its own: there, it is what it has received or replayed."""
        rows = (
            yield Statement(
                "SELECT slot_name AS name, slot_type AS type, active, wal_status = 'lost' AS lost,"
                " restart_lsn IS NOT NULL AS keeps, (CASE WHEN pg_is_in_recovery()"
                " THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
                " ELSE pg_current_wal_lsn() END - restart_lsn)::bigint AS bytes"
                " FROM pg_replication_slots ORDER BY bytes DESC NULLS LAST, name"
            )
        ).rows
        unknown = [row["name"] for row in rows if row["keeps"] and row["bytes"] is None]
        if unknown:
            raise ProbeError(
                f"how much log {', '.join(unknown)} keeps could not be determined: this standby has replayed none yet"
            )
        return ReplicationSlotsFacts(
            tuple(
                ReplicationSlot(
                    printable(row["name"], 63), row["type"], row["active"], bool(row["lost"]), max(0, row["bytes"] or 0)
                )
                for row in rows
            )
        )


@dataclass(frozen=True)
class ReplicationSlot:
    """A slot, whether it is in use now, and how many bytes of the log it keeps. `lost`: it has lost what it needs."""

    name: str
    type: str
    active: bool
    lost: bool
    kept_bytes: int

    def __str__(self) -> str:
        use = "lost" if self.lost else "in use" if self.active else "unused"
        return f"{self.name} ({self.type}, {use}) {self.kept_bytes / 2**30:.2f} GiB"


@dataclass(frozen=True)
class ReplicationSlotsFacts:
    """All slots of the server, the one that keeps most first."""

    slots: tuple[ReplicationSlot, ...]


__all__ = ["ReplicationSlot", "ReplicationSlots", "ReplicationSlotsFacts"]
