"""Frozen facts about a PostgreSQL server. Times are aware, in UTC; durations are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from opsverify.errors import MissingPrivilege

XID_LIMIT = 2**31
"""Transaction ids before wraparound (manual, "Preventing Transaction ID Wraparound Failures")."""


@dataclass(frozen=True)
class ConnectFacts:
    """`latency_seconds`: resolving, connecting, TLS and login. `round_trip_seconds`: one command after that."""

    latency_seconds: float
    round_trip_seconds: float


@dataclass(frozen=True)
class ServerVersionFacts:
    """`version_num`: 150018 is 15.18. `text`: what version() says. `in_recovery`: a standby."""

    version_num: int
    major: int
    text: str
    in_recovery: bool


@dataclass(frozen=True)
class ClockFacts:
    """The server's clock_timestamp() beside our clock when the query was sent."""

    remote: datetime
    local: datetime
    round_trip_seconds: float

    @property
    def offset_seconds(self) -> float:
        """Their clock minus ours, best estimate; positive: theirs is ahead."""
        return (self.remote - self.local - timedelta(seconds=self.round_trip_seconds / 2)).total_seconds()

    @property
    def uncertainty_seconds(self) -> float:
        """The truth lies within this of `offset_seconds`."""
        return self.round_trip_seconds / 2


@dataclass(frozen=True)
class Migration:
    """One row of Prisma's table. A failed one has no `finished_at`, and logs."""

    name: str
    checksum: str
    started_at: datetime | None
    finished_at: datetime | None
    rolled_back_at: datetime | None
    steps: int
    has_logs: bool


@dataclass(frozen=True)
class AppliedMigrationsFacts:
    """`_prisma_migrations`, oldest first. `exists` is False, and `schema` None, where there is no such table."""

    exists: bool
    schema: str | None
    migrations: tuple[Migration, ...]


@dataclass(frozen=True)
class ConnectionsFacts:
    """Client connections, ours included. `reserved`: kept for superusers and, since 16, pg_use_reserved_connections.

    `exact` is False without pg_read_all_stats: parallel workers then cannot be told from clients.
    """

    used: int
    max_connections: int
    reserved: int
    exact: bool

    @property
    def used_percent(self) -> float:
        """Used share of max_connections."""
        return 100 * self.used / self.max_connections


@dataclass(frozen=True)
class SlowQuery:
    """A statement of pg_stat_statements; literals are replaced. Times in milliseconds, as the extension has them."""

    text: str
    calls: int
    mean_ms: float
    max_ms: float
    total_ms: float
    rows: int


@dataclass(frozen=True)
class SlowQueriesFacts:
    """This database's slowest statements by mean time, slowest first."""

    queries: tuple[SlowQuery, ...]
    extension_version: str


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


@dataclass(frozen=True)
class Aged:
    """A database or table and how many transactions, or multixacts, ago it was frozen."""

    name: str
    xid_age: int
    multixact_age: int


@dataclass(frozen=True)
class WraparoundFacts:
    """All databases of the server and this database's oldest tables, each oldest first."""

    databases: tuple[Aged, ...]
    oldest_tables: tuple[Aged, ...]
    freeze_max_age: int
    multixact_freeze_max_age: int

    @property
    def used_percent(self) -> float:
        """The larger of both counters' ages, as a share of 2^31."""
        return 100 * max((max(d.xid_age, d.multixact_age) for d in self.databases), default=0) / XID_LIMIT


@dataclass(frozen=True)
class InvalidIndex:
    """An index that the planner ignores. `being_built`: by CREATE INDEX CONCURRENTLY at this moment."""

    schema: str
    table: str
    name: str
    being_built: bool


@dataclass(frozen=True)
class UnvalidatedConstraint:
    """A constraint added NOT VALID: old rows were never checked."""

    schema: str
    table: str
    name: str


@dataclass(frozen=True)
class InvalidObjectsFacts:
    """What a broken migration or restore leaves behind."""

    indexes: tuple[InvalidIndex, ...]
    constraints: tuple[UnvalidatedConstraint, ...]


@dataclass(frozen=True)
class RowCountsFacts:
    """Exact counts, (table, rows) in the order asked; rows is None where there is no such table."""

    counts: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Role:
    """A role. `password`: "scram-sha-256", "md5", "empty", "none", "other"; None where it may not be seen."""

    name: str
    superuser: bool
    create_role: bool
    create_db: bool
    bypass_rls: bool
    replication: bool
    can_login: bool
    valid_until: str | None
    member_of: tuple[str, ...]
    password: str | None


AS_GOOD_AS_SUPERUSER = ("pg_execute_server_program", "pg_read_server_files", "pg_write_server_files")


@dataclass(frozen=True)
class RolesFacts:
    """All roles but the built-in pg_… ones. `passwords_hidden`: why `password` is None everywhere, or None."""

    roles: tuple[Role, ...]
    passwords_hidden: str | None

    def holders(self, right: str) -> dict[str, str]:
        """Who has "superuser", "create_role" or "bypass_rls": role → "", or the role through which it can have it.

        Attributes are not inherited, but a member may SET ROLE to one that has them. Roles that may use the server's
        files and programs can make themselves superusers (manual, "Predefined Roles").
        """
        found = {role.name: "" for role in self.roles if getattr(role, right)}
        sources = {*found, *(AS_GOOD_AS_SUPERUSER if right == "superuser" else ())}
        by_name = {role.name: role for role in self.roles}
        for role in self.roles:
            seen: set[str] = set()
            waiting = list(role.member_of)
            while waiting and role.name not in found:
                group = waiting.pop()
                if group in sources:
                    found[role.name] = group
                elif group in by_name and group not in seen:
                    seen.add(group)
                    waiting += by_name[group].member_of
        return found

    def password_kinds(self) -> dict[str, str]:
        """Role → kind of its password hash; raises MissingPrivilege where they may not be seen."""
        if self.passwords_hidden is not None:
            raise MissingPrivilege(self.passwords_hidden)
        return {role.name: role.password or "none" for role in self.roles}


@dataclass(frozen=True)
class Setting:
    """One row of pg_settings; `value` in `unit`s. `pending_restart`: the file says something else by now."""

    name: str
    value: str
    unit: str | None
    source: str
    pending_restart: bool


@dataclass(frozen=True)
class SettingsFacts:
    """The settings asked for. `unknown`: this server has none of that name."""

    settings: tuple[Setting, ...]
    unknown: tuple[str, ...]

    def value(self, name: str) -> str | None:
        """The value of a setting, None if unknown."""
        return next((setting.value for setting in self.settings if setting.name == name), None)


@dataclass(frozen=True)
class HbaRule:
    """One line of pg_hba.conf as the server would load it. `error`: why it would not; the rest is then empty."""

    line: int
    type: str | None
    databases: tuple[str, ...]
    users: tuple[str, ...]
    address: str | None
    netmask: str | None
    method: str | None
    error: str | None

    def __str__(self) -> str:
        words = (self.type, ",".join(self.databases), ",".join(self.users), self.address, self.netmask, self.method)
        return f"line {self.line}: {' '.join(filter(None, words))}"

    @property
    def from_network(self) -> bool:
        """Whether it lets in other machines: a host rule whose address is not the loopback."""
        loopback = ("127.", "::1", "localhost", "samehost")
        return (self.type or "").startswith("host") and not (self.address or "").startswith(loopback)


@dataclass(frozen=True)
class HbaRulesFacts:
    """What pg_hba.conf says. `hidden`: why that may not be seen, or None."""

    listed: tuple[HbaRule, ...]
    hidden: str | None = None

    @property
    def rules(self) -> tuple[HbaRule, ...]:
        """The rules, in the order in which they are tried; raises MissingPrivilege where they may not be seen."""
        if self.hidden is not None:
            raise MissingPrivilege(self.hidden)
        return self.listed


@dataclass(frozen=True)
class TableInventoryFacts:
    """Tables of user schemas as schema.name, sorted, and how many constraints, indexes and sequences there are.

    NOT NULL constraints are left out: PostgreSQL 18 began to list them, so counts would differ between versions.
    """

    tables: tuple[str, ...]
    constraints: int
    indexes: int
    sequences: int


@dataclass(frozen=True)
class ContentsFacts:
    """All that is in a database, counted: (schema.table, exact rows) sorted, constraints without NOT NULL, indexes."""

    tables: tuple[tuple[str, int], ...]
    constraints: int
    indexes: int

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table."""
        return dict(self.tables)
