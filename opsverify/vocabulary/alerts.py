"""What can be known of the way by which alerts leave the system."""

from __future__ import annotations

from opsverify.environment import Alert, Environment
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import host as probes
from opsverify.vocabulary.hosts import ask_host


@noun("alerts")
def alert_script(environment: Environment, alert: Alert, settings: Settings) -> Ask:
    """The script as a file; it is not run: ScriptFacts."""
    return ask_host(environment.hosts[alert.host], probes.ScriptFile(alert.script))


@noun("alerts")
def sent_alert(environment: Environment, alert: Alert, settings: Settings) -> Ask:
    """SENDS a test alert and waits for its arrival; for drills only: SentAlert."""
    seconds = float(settings["arrival_seconds"])
    question = probes.SendAlert(alert.script, alert.arrives_in, seconds)
    # The script itself may take as long again before the wait begins.
    return Ask(probes.drill_probe, environment.hosts[alert.host], question, 2 * seconds + 15)
