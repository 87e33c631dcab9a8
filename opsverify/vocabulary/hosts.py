"""What can be known of a host."""

from __future__ import annotations

from opsverify.environment import Environment, Host
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import host as probes


def ask_host(host: Host, question: probes.Question) -> Ask:
    """Ask a host something; all that is asked of one host in a run is one round trip."""
    return Ask(probes.probe, host, question, host.deadline)


@noun("hosts")
def memory(environment: Environment, host: Host, settings: Settings) -> Ask:
    """Memory in use, as `free` counts it: MemoryUsage."""
    return ask_host(host, probes.Memory())


@noun("hosts")
def cpu(environment: Environment, host: Host, settings: Settings) -> Ask:
    """How busy the processors were over an interval: CpuUsage."""
    return ask_host(host, probes.Cpu(float(settings.get("interval_seconds", 1.0))))


@noun("hosts")
def filesystems(environment: Environment, host: Host, settings: Settings) -> Ask:
    """Every real file system: a tuple of Filesystem."""
    return ask_host(host, probes.Filesystems(host.ignore_filesystems, host.only_filesystems))


@noun("hosts")
def program_usage(environment: Environment, host: Host, settings: Settings) -> Ask:
    """What the programs of the item's names take of the host: a tuple of ProgramUsage."""
    return ask_host(host, probes.ProcessResources(tuple(settings["names"])))


@noun("hosts")
def operating_system(environment: Environment, host: Host, settings: Settings) -> Ask:
    """The operating system, and the host's clock beside ours: OsFacts."""
    return ask_host(host, probes.OsRelease())


@noun("hosts")
def listening_sockets(environment: Environment, host: Host, settings: Settings) -> Ask:
    """Every listening TCP socket: a tuple of Socket."""
    return ask_host(host, probes.ListeningSockets())


@noun("hosts")
def host_addresses(environment: Environment, host: Host, settings: Settings) -> Ask:
    """The host's own addresses, as text."""
    return ask_host(host, probes.HostAddresses())


@noun("hosts")
def pending_updates(environment: Environment, host: Host, settings: Settings) -> Ask:
    """Security updates and reboots that are pending: UpdateFacts."""
    return ask_host(host, probes.PendingUpdates())


@noun("hosts")
def accounts(environment: Environment, host: Host, settings: Settings) -> Ask:
    """Who can log in and who can use sudo: AccountFacts."""
    return ask_host(host, probes.Accounts())


@noun("hosts")
def password_policy(environment: Environment, host: Host, settings: Settings) -> Ask:
    """What the operating system demands of passwords: PasswordPolicyFacts."""
    return ask_host(host, probes.PasswordPolicy())


@noun("hosts")
def system_journal(environment: Environment, host: Host, settings: Settings) -> Ask:
    """The errors that the system journal holds of the last hours: JournalFacts."""
    return ask_host(host, probes.JournalErrors(settings["window_hours"]))
