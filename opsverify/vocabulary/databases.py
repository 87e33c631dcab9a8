"""What can be known of a database."""

from __future__ import annotations

from opsverify.environment import Database, Environment
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import postgres


@noun("databases", attempt=True)
def connection_attempt(environment: Environment, database: Database, settings: Settings) -> Ask:
    """An Attempt at a direct, authenticated connection, with its latency: postgres.ConnectFacts."""
    return Ask(postgres.probe, database, postgres.Connect())


@noun("databases")
def database_server(environment: Environment, database: Database, settings: Settings) -> Ask:
    """The server's version: postgres.ServerVersionFacts."""
    return Ask(postgres.probe, database, postgres.ServerVersion())
