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
