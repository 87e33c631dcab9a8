"""What can be known of the way by which alerts leave the system."""

from __future__ import annotations

from opsverify.config.environment import Alert, Environment
from opsverify.drills.alert import SendAlert, drill_probe
from opsverify.evidence.query import Query
from opsverify.facts.hosts import host_query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.host.system.alert_script import ScriptFile


@fact("alerts")
def alert_script(environment: Environment, alert: Alert, settings: Settings) -> Query:
    """The script as a file; it is not run: ScriptFacts."""
    return host_query(environment.hosts[alert.host], ScriptFile(alert.script))


@fact("alerts")
def sent_alert(environment: Environment, alert: Alert, settings: Settings) -> Query:
    """SENDS a test alert and waits for its arrival; for drills only: SentAlert."""
    seconds = float(settings["arrival_seconds"])
    question = SendAlert(alert.script, alert.arrives_in, seconds)
    # The script itself may take as long again before the wait begins.
    return Query(drill_probe, environment.hosts[alert.host], question, 2 * seconds + 15)
