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


@noun("databases")
def database_clock(environment: Environment, database: Database, settings: Settings) -> Ask:
    """The server's clock beside ours: postgres.ClockFacts."""
    return Ask(postgres.probe, database, postgres.Clock())


@noun("databases")
def client_connections(environment: Environment, database: Database, settings: Settings) -> Ask:
    """How many connections are in use, and how many there may be: postgres.ConnectionsFacts."""
    return Ask(postgres.probe, database, postgres.Connections())


@noun("databases")
def slow_statements(environment: Environment, database: Database, settings: Settings) -> Ask:
    """The slowest statements by mean time: postgres.SlowQueriesFacts."""
    return Ask(postgres.probe, database, postgres.SlowQueries(settings["top"], settings["minimum_calls"]))


@noun("databases")
def table_statistics(environment: Environment, database: Database, settings: Settings) -> Ask:
    """Changes, dead rows and the last ANALYZE and VACUUM of every table: postgres.TableStatisticsFacts."""
    return Ask(postgres.probe, database, postgres.TableStatistics())


@noun("databases")
def transaction_age(environment: Environment, database: Database, settings: Settings) -> Ask:
    """How near the server is to transaction-ID wraparound: postgres.WraparoundFacts."""
    return Ask(postgres.probe, database, postgres.Wraparound())


@noun("databases")
def applied_migrations(environment: Environment, database: Database, settings: Settings) -> Ask:
    """Prisma's own record of what was applied: postgres.AppliedMigrationsFacts."""
    return Ask(postgres.probe, database, postgres.AppliedMigrations())


@noun("databases")
def invalid_objects(environment: Environment, database: Database, settings: Settings) -> Ask:
    """Indexes that are not used and constraints that were not checked: postgres.InvalidObjectsFacts."""
    return Ask(postgres.probe, database, postgres.InvalidObjects())


@noun("databases")
def key_rows(environment: Environment, database: Database, settings: Settings) -> Ask:
    """Exact row counts of the item's key tables: postgres.RowCountsFacts."""
    return Ask(postgres.probe, database, postgres.RowCounts(tuple(settings["key_tables"])))


@noun("databases")
def database_roles(environment: Environment, database: Database, settings: Settings) -> Ask:
    """All roles, what they may do and what kind of password they have: postgres.RolesFacts."""
    return Ask(postgres.probe, database, postgres.Roles())


@noun("databases")
def access_rules(environment: Environment, database: Database, settings: Settings) -> Ask:
    """The rules of pg_hba.conf: postgres.HbaRulesFacts."""
    return Ask(postgres.probe, database, postgres.HbaRules())


@noun("databases")
def password_settings(environment: Environment, database: Database, settings: Settings) -> Ask:
    """How the server stores new passwords: postgres.SettingsFacts."""
    return Ask(postgres.probe, database, postgres.Settings(("password_encryption",)))


@noun("databases")
def audit_settings(environment: Environment, database: Database, settings: Settings) -> Ask:
    """What the server logs of connections and statements: postgres.SettingsFacts."""
    names = ("log_connections", "log_disconnections", "log_statement")
    return Ask(postgres.probe, database, postgres.Settings(names))
