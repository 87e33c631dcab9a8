"""What can be known of a database."""

from __future__ import annotations

from opsverify.config.environment import Database, Environment
from opsverify.evidence.query import Query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.postgres.access_rules import HbaRules
from opsverify.probes.postgres.applied_migrations import AppliedMigrations
from opsverify.probes.postgres.clock import Clock
from opsverify.probes.postgres.collation_versions import CollationVersions
from opsverify.probes.postgres.connect import Connect
from opsverify.probes.postgres.connections import Connections
from opsverify.probes.postgres.invalid_objects import InvalidObjects
from opsverify.probes.postgres.key_usage import KeyUsage
from opsverify.probes.postgres.open_transactions import OpenTransactions
from opsverify.probes.postgres.probe import probe as postgres_probe
from opsverify.probes.postgres.replication_slots import ReplicationSlots
from opsverify.probes.postgres.role_expiry import RoleExpiry
from opsverify.probes.postgres.roles import Roles
from opsverify.probes.postgres.row_counts import RowCounts
from opsverify.probes.postgres.server_settings import ServerSettings
from opsverify.probes.postgres.server_version import ServerVersion
from opsverify.probes.postgres.slow_queries import SlowQueries
from opsverify.probes.postgres.table_statistics import TableStatistics
from opsverify.probes.postgres.wal_archiving import WalArchiving
from opsverify.probes.postgres.wraparound import Wraparound


@fact("databases", attempt=True)
def connection_attempt(environment: Environment, database: Database, settings: Settings) -> Query:
    """An Attempt at a direct, authenticated connection, with its latency: ConnectFacts."""
    return Query(postgres_probe, database, Connect())


@fact("databases")
def database_server(environment: Environment, database: Database, settings: Settings) -> Query:
    """The server's version: ServerVersionFacts."""
    return Query(postgres_probe, database, ServerVersion())


@fact("databases")
def database_clock(environment: Environment, database: Database, settings: Settings) -> Query:
    """The server's clock beside ours: ClockFacts."""
    return Query(postgres_probe, database, Clock())


@fact("databases")
def client_connections(environment: Environment, database: Database, settings: Settings) -> Query:
    """How many connections are in use, and how many there may be: ConnectionsFacts."""
    return Query(postgres_probe, database, Connections())


@fact("databases")
def slow_statements(environment: Environment, database: Database, settings: Settings) -> Query:
    """The slowest statements by mean time: SlowQueriesFacts."""
    return Query(postgres_probe, database, SlowQueries(settings["top"], settings["minimum_calls"]))


@fact("databases")
def table_statistics(environment: Environment, database: Database, settings: Settings) -> Query:
    """Changes, dead rows and the last ANALYZE and VACUUM of every table: TableStatisticsFacts."""
    return Query(postgres_probe, database, TableStatistics())


@fact("databases")
def transaction_age(environment: Environment, database: Database, settings: Settings) -> Query:
    """How near the server is to transaction-ID wraparound: WraparoundFacts."""
    return Query(postgres_probe, database, Wraparound())


@fact("databases")
def open_transactions(environment: Environment, database: Database, settings: Settings) -> Query:
    """Transactions that are idle or prepared, and for how long: OpenTransactionsFacts."""
    return Query(postgres_probe, database, OpenTransactions())


@fact("databases")
def wal_archiving(environment: Environment, database: Database, settings: Settings) -> Query:
    """What the archiver of the write-ahead log archived, failed at and left waiting: WalArchivingFacts."""
    return Query(postgres_probe, database, WalArchiving())


@fact("databases")
def replication_slots(environment: Environment, database: Database, settings: Settings) -> Query:
    """The server's replication slots, and how much of the log each keeps: ReplicationSlotsFacts."""
    return Query(postgres_probe, database, ReplicationSlots())


@fact("databases")
def key_usage(environment: Environment, database: Database, settings: Settings) -> Query:
    """How much of its range every sequence and every integer key has used up: KeyUsageFacts."""
    return Query(postgres_probe, database, KeyUsage())


@fact("databases")
def collation_versions(environment: Environment, database: Database, settings: Settings) -> Query:
    """Under which versions of their providers collations and databases were made: CollationVersionsFacts."""
    return Query(postgres_probe, database, CollationVersions())


@fact("databases")
def role_expiry(environment: Environment, database: Database, settings: Settings) -> Query:
    """When the passwords of those roles end that the system logs in with: RoleExpiryFacts."""
    return Query(postgres_probe, database, RoleExpiry(tuple(settings["roles"])))


@fact("databases")
def applied_migrations(environment: Environment, database: Database, settings: Settings) -> Query:
    """Prisma's own record of what was applied: AppliedMigrationsFacts."""
    return Query(postgres_probe, database, AppliedMigrations())


@fact("databases")
def invalid_objects(environment: Environment, database: Database, settings: Settings) -> Query:
    """Indexes that are not used and constraints that were not checked: InvalidObjectsFacts."""
    return Query(postgres_probe, database, InvalidObjects())


@fact("databases")
def key_rows(environment: Environment, database: Database, settings: Settings) -> Query:
    """Exact row counts of the item's key tables: RowCountsFacts."""
    return Query(postgres_probe, database, RowCounts(tuple(settings["key_tables"])))


@fact("databases")
def database_roles(environment: Environment, database: Database, settings: Settings) -> Query:
    """All roles, what they may do and what kind of password they have: RolesFacts."""
    return Query(postgres_probe, database, Roles())


@fact("databases")
def access_rules(environment: Environment, database: Database, settings: Settings) -> Query:
    """The rules of pg_hba.conf: HbaRulesFacts."""
    return Query(postgres_probe, database, HbaRules())


@fact("databases")
def password_settings(environment: Environment, database: Database, settings: Settings) -> Query:
    """How the server stores new passwords: SettingsFacts."""
    return Query(postgres_probe, database, ServerSettings(("password_encryption",)))


@fact("databases")
def audit_settings(environment: Environment, database: Database, settings: Settings) -> Query:
    """What the server logs of connections and statements: SettingsFacts."""
    names = ("log_connections", "log_disconnections", "log_statement")
    return Query(postgres_probe, database, ServerSettings(names))
