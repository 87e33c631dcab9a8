"""What can be known of a host."""

from __future__ import annotations

from collections.abc import Callable

from opsverify.config.environment import Environment, Host
from opsverify.evidence.query import Query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.host.logs.journal import JournalErrors
from opsverify.probes.host.probe import probe
from opsverify.probes.host.question import Question
from opsverify.probes.host.system.accounts import Accounts
from opsverify.probes.host.system.addresses import HostAddresses
from opsverify.probes.host.system.automatic_updates import UnattendedUpgrades
from opsverify.probes.host.system.cpu import Cpu
from opsverify.probes.host.system.filesystems import Filesystems
from opsverify.probes.host.system.memory import Memory
from opsverify.probes.host.system.operating_system import OsRelease
from opsverify.probes.host.system.password_policy import PasswordPolicy
from opsverify.probes.host.system.read_only import ReadOnlyFilesystems
from opsverify.probes.host.system.sockets import ListeningSockets
from opsverify.probes.host.system.time_service import TimeSynchronisation
from opsverify.probes.host.system.updates import PendingUpdates
from opsverify.probes.host.system.usage import ProcessResources


def in_container(why: str) -> Callable[[Host], str]:
    """Why a host that is a container has no such fact; "" for one that is none."""
    return lambda host: f"{host.name} is a container: {why}" if host.is_container else ""


def host_query(host: Host, question: Question) -> Query:
    """Ask a host something; all that is asked of one host in a run is one round trip."""
    return Query(probe, host, question, host.deadline)


@fact("hosts")
def memory(environment: Environment, host: Host, settings: Settings) -> Query:
    """Memory in use, as `free` counts it: MemoryUsage."""
    return host_query(host, Memory())


@fact("hosts")
def cpu(environment: Environment, host: Host, settings: Settings) -> Query:
    """How busy the processors were over an interval: CpuUsage."""
    return host_query(host, Cpu(float(settings.get("interval_seconds", 1.0))))


@fact("hosts")
def filesystems(environment: Environment, host: Host, settings: Settings) -> Query:
    """Every real file system: a tuple of Filesystem."""
    return host_query(host, Filesystems(host.ignore_filesystems, host.only_filesystems))


@fact("hosts")
def read_only_filesystems(environment: Environment, host: Host, settings: Settings) -> Query:
    """Which real file systems cannot be written to, and whether that is meant: ReadOnlyFacts."""
    return host_query(host, ReadOnlyFilesystems(host.ignore_filesystems, host.only_filesystems))


@fact("hosts")
def program_usage(environment: Environment, host: Host, settings: Settings) -> Query:
    """What the programs of the item's names take of the host: a tuple of ProgramUsage."""
    return host_query(host, ProcessResources(tuple(settings["names"])))


@fact("hosts")
def operating_system(environment: Environment, host: Host, settings: Settings) -> Query:
    """The operating system, and the host's clock beside ours: OsFacts."""
    return host_query(host, OsRelease())


@fact("hosts", excuse=in_container("which of its ports are published is its engine's to say"))
def listening_sockets(environment: Environment, host: Host, settings: Settings) -> Query:
    """Every listening TCP socket: a tuple of Socket."""
    return host_query(host, ListeningSockets())


@fact("hosts")
def host_addresses(environment: Environment, host: Host, settings: Settings) -> Query:
    """The host's own addresses, as text."""
    return host_query(host, HostAddresses())


@fact("hosts", excuse=in_container("its image is replaced, not updated"))
def pending_updates(environment: Environment, host: Host, settings: Settings) -> Query:
    """Security updates and reboots that are pending: UpdateFacts."""
    return host_query(host, PendingUpdates())


@fact("hosts", excuse=in_container("nobody logs in to it"))
def accounts(environment: Environment, host: Host, settings: Settings) -> Query:
    """Who can log in and who can use sudo: AccountFacts."""
    return host_query(host, Accounts())


@fact("hosts", excuse=in_container("nobody logs in to it with a password"))
def password_policy(environment: Environment, host: Host, settings: Settings) -> Query:
    """What the operating system demands of passwords: PasswordPolicyFacts."""
    return host_query(host, PasswordPolicy())


@fact("hosts", excuse=in_container("it keeps no journal, what it prints is its engine's"))
def system_journal(environment: Environment, host: Host, settings: Settings) -> Query:
    """The errors that the system journal holds of the last hours: JournalFacts."""
    return host_query(host, JournalErrors(settings["window_hours"]))


@fact("hosts", excuse=in_container("it has the clock of its machine"))
def time_service(environment: Environment, host: Host, settings: Settings) -> Query:
    """What keeps the clock, and whether it does: TimeService."""
    return host_query(host, TimeSynchronisation())


@fact("hosts", excuse=in_container("its image is replaced, not updated"))
def automatic_updates(environment: Environment, host: Host, settings: Settings) -> Query:
    """Whether the host updates itself, and when it last did: AutomaticUpdates."""
    return host_query(host, UnattendedUpgrades())
