"""The server's version."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.postgres.question import Server, Statement, Steps
from opsverify.probes.tcp.transport import printable


@dataclass(frozen=True)
class ServerVersion:
    """Answer: `ServerVersionFacts`. Any role."""

    def steps(self, server: Server) -> Steps:
        """One query."""
        row = (yield Statement("SELECT version() AS text, pg_is_in_recovery() AS in_recovery")).rows[0]
        number = server.version_num
        return ServerVersionFacts(number, number // 10000, printable(row["text"], 200), row["in_recovery"])


@dataclass(frozen=True)
class ServerVersionFacts:
    """`version_num`: 150018 is 15.18. `text`: what version() says. `in_recovery`: a standby."""

    version_num: int
    major: int
    text: str
    in_recovery: bool
