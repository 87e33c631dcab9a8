"""How long connecting takes."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.postgres.question import Server, Steps


@dataclass(frozen=True)
class Connect:
    """How long connecting takes. Answer: `ConnectFacts`. Needs CONNECT on the database."""

    def steps(self, server: Server) -> Steps:
        """No query: measured while connecting."""
        return ConnectFacts(server.connect_seconds, server.round_trip_seconds)
        yield


@dataclass(frozen=True)
class ConnectFacts:
    """`latency_seconds`: resolving, connecting, TLS and login. `round_trip_seconds`: one command after that."""

    latency_seconds: float
    round_trip_seconds: float
