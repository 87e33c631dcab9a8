"""What an environment file may say: frozen, validated models of the targets and of what is expected of them.

Only shapes live here; reading files, filling in `${VAR}` and listing mistakes is `opsverify.config.loading`. Every kind
of target is a mapping from a name to its description; the name becomes the test's id, `disk-usage[app1]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    IPvAnyAddress,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from opsverify.config import addresses, deadlines
from opsverify.config import history_location as location
from opsverify.config.items import ItemId, Severity
from opsverify.config.model import Address, Model, Name, Owner, Reason, Seconds, web_address
from opsverify.config.notification import Notify


def _postgres_address(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if text.startswith(("postgresql://", "postgres://")):
        if len(addresses.split(text).path) < 2:
            raise ValueError("a PostgreSQL URL that names a database, postgresql://user@host:5432/name")
    elif not {"dbname", "service"} & set(addresses.words(text)):
        raise ValueError("a PostgreSQL URL, postgresql://user@host:5432/name")
    return value


def _country(value: str) -> str:
    if not deadlines.is_known_country(value):
        raise ValueError("a country whose public holidays are known, two letters as in ISO 3166: JP")
    return value


def _history_address(value: SecretStr) -> SecretStr:
    location.check(value.get_secret_value())
    return value


_CONNECTIONS = ("local", "ssh", "docker", "podman", "kubectl", "openshift", "lxc", "chroot", "ansible", "salt")


def _connection(value: str) -> str:
    if "[" in value:  # an address of IPv6, or a range, of which all are alike
        from opsverify.config.ranges import expand

        check_connection(expand(value)[0])
        return value
    return check_connection(value)


def check_connection(value: str) -> str:
    """The connection to one host itself; raises ValueError, with what is allowed, for what is none."""
    parts = addresses.split(value)
    if parts.scheme not in _CONNECTIONS:
        # paramiko:// is left out on purpose: it verifies no host key.
        raise ValueError(f"a connection such as ssh://user@host, of one of these kinds: {', '.join(_CONNECTIONS)}")
    if parts.password:
        raise ValueError("a connection without a password (ssh would show it in the process list; use a key or agent)")
    return value


PostgresAddress = Annotated[SecretStr, AfterValidator(_postgres_address)]
HistoryAddress = Annotated[SecretStr, AfterValidator(_history_address)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), AfterValidator(_country)]
Connection = Annotated[str, AfterValidator(_connection)]
_RANGE = r"\[[A-Za-z0-9]*:[A-Za-z0-9]+(:[0-9]+)?\]"
HostKey = Annotated[
    str,
    StringConstraints(pattern=rf"^([A-Za-z0-9]|{_RANGE})([A-Za-z0-9_.@-]|{_RANGE})*$", max_length=60),
]
"""The name of a host, or of a group of them, which may itself be a range: `web[001:250]`."""
MemberName = Annotated[str, StringConstraints(max_length=121)]
"""The name of a target, also of one that a group makes of several: `backend@web001`."""
Port = Annotated[int, Field(ge=1, le=65535)]
WebPath = Annotated[str, StringConstraints(pattern=r"^/\S*$")]
HostPath = Annotated[str, StringConstraints(pattern=r"^/[^\x00\n]*$")]
ContainerName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


_SINGULAR = {"proxies": "proxy"}


def singular(kind: str) -> str:
    """What one target of a kind is called: `host` for `hosts`."""
    return _SINGULAR.get(kind, kind.removesuffix("s"))


class Target(Model):
    """Something to verify. `name` and `environment` are filled in from where it stands."""

    kind: ClassVar[str]
    optional: ClassVar[bool] = False
    """Whether a file need not say that it has none: kinds that are younger than files in use."""

    name: SkipJsonSchema[str] = ""
    environment: SkipJsonSchema[str] = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """(environment, kind, name): unique within a run."""
        return (self.environment, self.kind, self.name)

    @property
    def label(self) -> str:
        """How a report names it: kind and name, `host app1`."""
        return f"{singular(self.kind)} {self.name}"


class Reached(Target):
    """A target that is reached over a network."""

    via: Name | None = Field(
        default=None,
        description="A resource of the Dask workers that reach it (--executor), such as tokyo; none: any does.",
    )


class OnHost(Target):
    """A target that is looked at on a host of this environment."""

    host: HostKey = Field(description="The host, by its name under hosts; of a group: one on each of its hosts.")


class InContainer(OnHost):
    """A target that may be a container, as an engine on its host sees it."""

    container: ContainerName | None = Field(None, description="Its name or id: mycats-backend-1.")
    engine: Literal["any", "docker", "podman"] = Field("any", description="Of a container; any: docker, else podman.")


class Slotted(Target):
    """A target of which blue and green may each have one."""

    slot: Name | None = Field(None, description="The deployment slot it belongs to (blue, green); none: both.")


class Login(Model):
    """An account with which a run logs in to an API, once: as My Cats takes it, or with OAuth 2."""

    grant: Literal["json", "password", "client_credentials"] = Field(
        "json", description="json: My Cats' own; the others are grants of OAuth 2 (RFC 6749)."
    )
    path: WebPath | Address = Field(
        "/api/v1/auth/login", description="Of the API; a whole address where another server gives out tokens."
    )
    username: Annotated[str, StringConstraints(min_length=1)] = Field(
        description="A read-only account's; for client_credentials the client's id."
    )
    password: SecretStr = Field(description="As ${VAR} or ${file:PATH}; for client_credentials the client's secret.")
    username_field: str = Field("email", description="What the JSON of the login calls the username.")
    token_at: str | None = Field(
        None, description="Where the answer holds the token, keys joined by dots; data.access_token, or access_token."
    )
    client_id: str | None = Field(None, description="For the grant password, where the server wants one.")
    client_secret: SecretStr | None = Field(None, description="As client_id.")
    scope: str | None = Field(None, description="What the token is asked for, where the server wants to know.")


class Api(Slotted, Reached):
    """An endpoint of the NestJS API."""

    kind: ClassVar[str] = "apis"

    url: Address = Field(description="Base address, http://app1:3004.")
    health_path: WebPath = Field("/health", description="Where it says whether it is well.")
    smoke_path: WebPath = Field("/api/v1/pedigrees", description="A data endpoint.")
    cats_path: WebPath = Field("/api/v1/cats", description="The list of cats, whose response time is judged.")
    cors_path: WebPath = Field("/api/v1/health", description="Where browsers of other origins are tried: below /api.")
    login: Login | None = Field(None, description="How a run logs in for itself: tokens of My Cats live 15 minutes.")
    token: SecretStr | None = Field(None, description="Instead of a login: a bearer token that does not expire.")
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="More request headers.")
    ca_file: Path | None = Field(None, description="Trust this CA (PEM) instead of the system's.")
    samples: int = Field(3, ge=1, le=10, description="Requests of which the median response time is judged.")

    @model_validator(mode="after")
    def _one_way_in(self) -> Api:
        if self.login is not None and self.token is not None:
            raise ValueError("login or token, not both")
        return self


class Frontend(Slotted, Reached):
    """An address at which users get the Next.js front end."""

    kind: ClassVar[str] = "frontends"

    url: Address = Field(description="What users type, or a slot's own address: https://mycats.example.com.")
    contains: str | None = Field(None, description="Text that the page must hold.")
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="More request headers.")
    ca_file: Path | None = Field(None, description="Trust this CA (PEM) instead of the system's.")


class Database(Reached):
    """A PostgreSQL database, read as the least privileged role that can see what the checks judge."""

    kind: ClassVar[str] = "databases"

    dsn: PostgresAddress = Field(description="postgresql://role:${PASSWORD}@host:5432/mycats?sslmode=verify-full")

    @property
    def location(self) -> tuple[str, int, str]:
        """(host, port, database) as the dsn names them, without its secrets; host "" is a local socket."""
        from psycopg.conninfo import conninfo_to_dict

        parts = conninfo_to_dict(self.dsn.get_secret_value())
        return (str(parts.get("host") or ""), int(parts.get("port") or 5432), str(parts.get("dbname") or ""))


class Host(Reached):
    """A machine, reached through one of testinfra's connections."""

    kind: ClassVar[str] = "hosts"

    connection: Connection = Field("local://", description="local://, ssh://user@host, docker://name, kubectl://pod, …")
    ssh_config: Path | None = Field(None, description="An ssh_config file (ProxyJump, identities, known hosts).")
    ssh_client: Literal["any", "openssh"] = Field(
        "any", description="any: within the suite's own process where that is possible, else OpenSSH's client."
    )
    ignore_filesystems: tuple[str, ...] = Field((), description="Mount points that disk checks leave out.")
    only_filesystems: tuple[str, ...] = Field((), description="If given, the only mount points looked at.")
    search_path: tuple[HostPath, ...] = Field((), description="Folders searched for node, psql, pg_dump before PATH.")
    deadline: Seconds = Field(20, description="Seconds for the one round trip that gathers all facts.")
    not_applicable: dict[str, Reason] = Field(
        default_factory=dict,
        description="Checks and kinds of targets that do not exist on this host, each with a reason; hosts: all on it.",
    )

    @property
    def is_container(self) -> bool:
        """Whether it is a container: it shares its machine's kernel, and nobody logs in to it or updates it."""
        return urlsplit(self.connection).scheme in ("docker", "podman", "kubectl", "openshift")

    @property
    def address(self) -> str | None:
        """The name or address at which its ports can be tried from here; None where it has none (docker, kubectl)."""
        parts = urlsplit(self.connection)
        return "localhost" if parts.scheme == "local" else parts.hostname if parts.scheme == "ssh" else None


class HostEntry(Host):
    """What stands under hosts: a host, or a group of hosts that are alike: by ranges, or from an inventory."""

    inventory: Path | None = Field(
        None, description="The hosts of this file, beside the environment file: an Ansible inventory, or their names."
    )
    group: str | None = Field(None, description="Of the inventory, this group only.")
    members: dict[Name, Host] = Field(
        default_factory=dict, description="What is different for some hosts of the group, by their names."
    )

    @field_validator("group")
    @classmethod
    def _of_an_inventory(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("inventory") is None:
            raise ValueError("no group without an inventory")
        return value


class Service(InContainer, Slotted):
    """A running part of the system: a systemd unit, a container, or a process known by its pid file."""

    kind: ClassVar[str] = "services"

    role: Literal["backend", "frontend", "database", "proxy", "other"] = Field(
        "other", description="Which part of the system it is; other: only whether it runs is judged."
    )
    unit: Name | None = Field(None, description="The systemd unit: mycats-backend.")
    pid_file: HostPath | None = Field(None, description="Where no unit exists: the file with its process id.")
    port: Port | None = Field(None, description="The TCP port it must listen on itself; a container: inside.")
    env_files: tuple[HostPath, ...] = Field(
        (), description="Files that the application reads with npm's dotenv, the first wins."
    )

    @model_validator(mode="after")
    def _one_way_to_find_it(self) -> Service:
        if sum(way is not None for way in (self.unit, self.pid_file, self.container)) != 1:
            raise ValueError("exactly one of unit, pid_file and container")
        return self


class Release(OnHost, Slotted):
    """A checkout of My Cats on a host."""

    kind: ClassVar[str] = "releases"

    path: HostPath = Field(description="The checkout's folder: /srv/mycats.")
    database: Name = Field(description="The database its migrations belong to, by its name under databases.")


class Certificate(Reached):
    """A TLS endpoint whose certificate is judged."""

    kind: ClassVar[str] = "certificates"

    address: Annotated[str, StringConstraints(min_length=1)] = Field(description="Host name or IP to connect to.")
    port: Port = Field(443, description="Where it is served.")
    server_name: str | None = Field(None, description="The name that must match, if it is not the address.")
    protocol: Literal["tls", "postgres"] = Field("tls", description="postgres: TLS is asked for inside the protocol.")
    ca_file: Path | None = Field(None, description="Trust this CA (PEM) instead of the system's.")


class DomainName(Reached):
    """A name that users reach the system by, and where it must lead."""

    kind: ClassVar[str] = "names"
    optional: ClassVar[bool] = True

    domain: Annotated[str, StringConstraints(min_length=1)] = Field(description="The name itself: mycats.example.com.")
    addresses: tuple[IPvAnyAddress, ...] = Field(
        (), description="Every address that it must resolve to, and no other; none: any will do."
    )


class BackupStore(OnHost):
    """The folder that the backup job writes."""

    kind: ClassVar[str] = "backups"

    path: HostPath = Field(description="The folder: /backup/mycats.")
    database: Name = Field(description="The database whose dumps these are, by its name under databases.")
    database_pattern: str = Field("db_*.sql", description="The names of its dumps.")
    application_pattern: str = Field("app_*.tar.gz", description="The names of its archives of the application.")
    must_hold: tuple[str, ...] = Field(("backend", "frontend"), description="Folders that the archive must hold.")
    must_not_hold: tuple[str, ...] = Field(("node_modules", ".git", ".next"), description="Folders it must not hold.")
    archive_seconds: Seconds = Field(600, description="Deadline for reading the newest archive to its end.")
    compare_with: Literal["live", "manifest"] = Field(
        "live", description="What a restored dump must agree with; manifest: the counts in DUMP.manifest.json."
    )
    scratch: HostPath | None = Field(
        None, description="The folder on this machine in which restores are tried; none: the temporary folder."
    )
    drill_seconds: Seconds = Field(840, description="Deadline of each restore drill; run_seconds bounds it too.")


class Log(InContainer):
    """A log: a file on a host, the journal of a systemd unit, or what a container prints."""

    kind: ClassVar[str] = "logs"

    holds: Literal["application", "access", "auth", "database"] = Field(
        description="application: the backend's own (pino JSON or text) · access: nginx's combined format · "
        "auth: sshd's and sudo's messages · database: PostgreSQL's, which is the audit trail."
    )
    path: HostPath | None = Field(None, description="A * in its name: the newest file that matches.")
    unit: Name | None = Field(None, description="Read the journal of this unit instead of a file.")
    read_mib: int = Field(64, ge=1, le=1024, description="Of a file, at most so much is read for one check, in MiB.")

    @model_validator(mode="after")
    def _one_place(self) -> Log:
        if sum(place is not None for place in (self.path, self.unit, self.container)) != 1:
            raise ValueError("exactly one of path, unit and container")
        return self


class Folder(OnHost):
    """A folder that weekly maintenance keeps in order."""

    kind: ClassVar[str] = "folders"

    holds: Literal["logs", "temporary files", "weekly backups", "npm cache", "next cache"] = Field(
        description="What is kept in order there, and so by which check."
    )
    path: HostPath = Field(description="The folder: /srv/mycats/logs.")


class Job(OnHost):
    """A periodic job: a systemd timer, a cron entry, or just the log that it writes."""

    kind: ClassVar[str] = "jobs"

    role: Literal["health-check", "backup", "maintenance"] = Field("health-check", description="What it does.")
    timer: Name | None = Field(None, description="Its systemd timer: mycats-health.timer.")
    cron: str | None = Field(None, description="Text that its crontab line holds: health-check.sh.")
    log: HostPath | None = Field(
        None, description="The log that it writes; a health check's with lines such as `…: API Health OK`."
    )

    @model_validator(mode="after")
    def _somewhere(self) -> Job:
        if not (self.timer or self.cron or self.log):
            raise ValueError("at least one of timer, cron and log")
        return self


class Alert(OnHost):
    """The way by which alerts leave the system."""

    kind: ClassVar[str] = "alerts"

    script: HostPath = Field(description="The script that sends one: send-alert.sh, called with the message.")
    arrives_in: HostPath | None = Field(None, description="A file or folder in which a test alert must show (drill).")


class Proxy(Reached):
    """The public address: nginx or a load balancer in front of the slots."""

    kind: ClassVar[str] = "proxies"

    url: Address = Field(description="What users type: https://mycats.example.com.")
    http_url: Address | None = Field(None, description="The plain http address, which must redirect.")
    health_path: WebPath = Field("/health", description="Leads to the API of the active slot.")
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="More request headers.")
    ca_file: Path | None = Field(None, description="Trust this CA (PEM) instead of the system's.")
    samples: int = Field(3, ge=1, le=10, description="Requests that must all be served by the active slot.")


class Document(Reached):
    """A document that operators keep: the runbook itself, or the log of operations."""

    kind: ClassVar[str] = "documents"

    holds: Literal["runbook", "operations log"] = Field(
        description="runbook: the operators' own document · operations log: where they write down what they did."
    )
    location: str = Field(description="A path on `host`, a path on this machine (no host), or an http(s) address.")
    host: HostKey | None = Field(None, description="The host that has it, by its name under hosts.")
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="Request headers, for an address.")
    ca_file: Path | None = Field(None, description="Trust this CA (PEM) instead of the system's.")

    @model_validator(mode="after")
    def _operations_are_written_to_a_file(self) -> Document:
        if self.location.startswith(("http://", "https://")):
            web_address(self.location)
        if self.holds == "operations log" and not self.location.startswith("/"):
            raise ValueError("for an operations log, a path on a host: /srv/mycats/operations.log")
        return self


class BandOverride(Model):
    """Limits that replace the runbook's for this environment; what is not given stays."""

    below: float | None = Field(default=None, description="Normal below it, for figures that must stay small.")
    alert_above: float | None = Field(default=None, description="Above it an alert; a warning in between.")
    above: float | None = Field(default=None, description="Normal above it, for figures that must stay large.")
    alert_below: float | None = Field(default=None, description="Below it an alert; a warning in between.")


class CheckOverride(Model):
    """What this environment wants differently for one check."""

    band: BandOverride | None = Field(default=None, description="Other limits.")
    severity: Severity | None = Field(default=None, description="Another time to respond.")
    settings: dict[str, Any] = Field(
        default_factory=dict, description="See the check's settings in checks/runbook.yaml."
    )


def _utc(value: Any) -> Any:
    """A bare date expires at its end, in UTC; YAML hands over dates, JSON-minded editors strings."""
    text = value.isoformat() if hasattr(value, "isoformat") and not isinstance(value, datetime) else value
    if isinstance(text, str) and len(text) == 10:
        return f"{text}T23:59:59Z"
    if isinstance(text, datetime) and text.tzinfo is None:
        return text.isoformat() + "Z"
    return text


class Waiver(Model):
    """A known failure that somebody answers for until a date (UTC)."""

    check: ItemId = Field(description="The check's id: certificate-trust.")
    target: MemberName | None = Field(
        None, description="One target only, or those that its entry stands for; none: all targets of the check."
    )
    owner: Owner = Field(description="Who answers for it: a person or a team.")
    reason: Reason = Field(description="Why it is accepted, and what ends it: a ticket.")
    expires: Annotated[AwareDatetime, BeforeValidator(_utc)] = Field(description="A date or time, UTC.")
    stands_for: SkipJsonSchema[frozenset[str]] = frozenset()
    """Where `target` stands for several: their names."""

    def covers(self, target: str | None) -> bool:
        """Whether it is about that target, by its name."""
        return self.target in (None, target) or target in self.stands_for


KINDS: dict[str, type[Target]] = {
    model.kind: model
    for model in (
        Api,
        Frontend,
        Proxy,
        Database,
        Host,
        Service,
        Release,
        Log,
        Folder,
        Job,
        Alert,
        Certificate,
        BackupStore,
        Document,
        DomainName,
    )
}
"""Every kind of target, by the key under which an environment file lists it."""


def excuse_of(not_applicable: Mapping[str, str], kind: str) -> str:
    """Why an environment has no targets of a kind, ""; where it has no hosts, it has nothing that lies on one."""
    reason = not_applicable.get(kind) or (not_applicable.get("hosts") if issubclass(KINDS[kind], OnHost) else None)
    return reason or ""


class Environment(Model):
    """One target environment."""

    name: SkipJsonSchema[str] = ""
    title: str = Field("", description="How reports call it; default: the file's name.")
    country: Country = Field("JP", description="Whose business days count.")
    timezone: str | None = Field(
        None, validate_default=True, description="IANA name: Asia/Tokyo, which is the default in JP; needed elsewhere."
    )
    language: Literal["en", "ja"] = Field("en", description="Language of titles and instructions in reports.")
    node_env: str = Field("production", description="What NODE_ENV should be.")
    active_slot: Name | None = Field(None, description="The slot that serves users now.")
    retired_slots: tuple[Name, ...] = Field((), description="Slots out of use since a switch: they must not run.")
    provided_by: Literal["rehearsal"] | None = Field(None, description="Started by the suite itself if not up.")
    run_seconds: Seconds = Field(900, description="Deadline of the whole run's collection of evidence.")

    history: HistoryAddress | None = Field(
        None,
        description="postgresql://…, sqlite:///path, none; default: reports/history.db. As ${VAR} or ${file:PATH}.",
    )

    apis: dict[Name, Api] = Field(default_factory=dict)
    frontends: dict[Name, Frontend] = Field(default_factory=dict)
    proxies: dict[Name, Proxy] = Field(default_factory=dict)
    databases: dict[Name, Database] = Field(default_factory=dict)
    hosts: dict[HostKey, HostEntry] = Field(default_factory=dict)
    services: dict[Name, Service] = Field(default_factory=dict)
    releases: dict[Name, Release] = Field(default_factory=dict)
    logs: dict[Name, Log] = Field(default_factory=dict)
    folders: dict[Name, Folder] = Field(default_factory=dict)
    jobs: dict[Name, Job] = Field(default_factory=dict)
    alerts: dict[Name, Alert] = Field(default_factory=dict)
    certificates: dict[Name, Certificate] = Field(default_factory=dict)
    backups: dict[Name, BackupStore] = Field(default_factory=dict)
    documents: dict[Name, Document] = Field(default_factory=dict)
    names: dict[Name, DomainName] = Field(default_factory=dict)

    not_applicable: dict[str, Reason] = Field(
        default_factory=dict,
        description="Kinds of targets and checks that do not exist here, each with a reason; hosts excuses all that "
        "lies on one; check:kind excuses a check that is about several kinds (access-rights:hosts) from one of them.",
    )
    checks: dict[ItemId, CheckOverride] = Field(default_factory=dict, description="Overrides, by check.")
    waivers: tuple[Waiver, ...] = Field((), description="Known failures, each owned and dated.")
    notify: Notify | None = Field(None, description="Who is told of a change of state; none: nobody but who looks.")

    @field_validator("timezone")
    @classmethod
    def _time_zone(cls, value: str | None, info: ValidationInfo) -> str | None:
        country = info.data.get("country")
        if value is None:
            if country is not None and country not in deadlines.TIME_ZONES:
                raise ValueError(f"the time zone in which {country} works, Europe/Berlin")
            return deadlines.TIME_ZONES.get(country or "")
        if not deadlines.is_known_time_zone(value):
            raise ValueError("an IANA time zone, Asia/Tokyo")
        return value

    @property
    def slots(self) -> frozenset[str]:
        """Every slot that a target belongs to."""
        names = (getattr(t, "slot", None) for kind in KINDS for t in getattr(self, kind).values())
        return frozenset(slot for slot in names if slot is not None)

    @cached_property
    def services_by_place(self) -> dict[tuple[str, str | None, str | None], list[Service]]:
        """Services by role, slot and host, None for any: of thousands, the near one is asked for with every test."""
        found: dict[tuple[str, str | None, str | None], list[Service]] = {}
        for service in self.services.values():
            for slot, host in product({service.slot, None}, (service.host, None)):
                found.setdefault((service.role, slot, host), []).append(service)
        return found

    def excuse_on_host(self, check: str, target: Target) -> str:
        """Why a check does not apply to a target, by the word of the host that it is or lies on; "" where it does."""
        host = target if isinstance(target, Host) else self.hosts.get(getattr(target, "host", None) or "")
        excused = host.not_applicable if host else {}
        keys = (f"{check}:{target.kind}", check, target.kind, Host.kind)
        return next((excused[key] for key in keys if key in excused), "")

    def targets(self, kind: str, slot: str | None = None) -> list[Target]:
        """The targets of a kind that a run looks at, in the file's order.

        A run is aimed at one slot: `slot`, else the active one. Targets of no slot always belong to it; where the
        environment declares no active slot, so do all.
        """
        wanted = slot or self.active_slot
        by_name: dict[str, Target] = getattr(self, kind)
        return [t for t in by_name.values() if wanted is None or getattr(t, "slot", None) in (None, wanted)]
