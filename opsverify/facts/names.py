"""What can be known of a name that users reach the system by."""

from __future__ import annotations

from opsverify.config.environment import DomainName, Environment
from opsverify.evidence.query import Query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.tcp.resolution import Resolution
from opsverify.probes.tcp.resolution import probe as resolution_probe


@fact("names")
def resolved_name(environment: Environment, name: DomainName, settings: Settings) -> Query:
    """The addresses that it leads to: ResolvedName."""
    return Query(resolution_probe, name, Resolution())
