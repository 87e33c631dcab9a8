"""What can be known of a log."""

from __future__ import annotations

from opsverify.environment import Environment, Log
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import host as probes
from opsverify.probes.host.question import MIB
from opsverify.vocabulary.hosts import ask_host

APPLICATION = "log that holds application"
ACCESS = "log that holds access"


def ask(environment: Environment, log: Log, question: probes.Question) -> Ask:
    """Ask the host that a log is on."""
    return ask_host(environment.hosts[log.host], question)


def source(log: Log) -> probes.Source:
    """Where it is."""
    return probes.Source(log.path, log.unit)


@noun("logs", where=lambda log: log.holds == "application", missing=APPLICATION)
def application_log(environment: Environment, log: Log, settings: Settings) -> Ask:
    """The errors of its last hours: ApplicationFacts."""
    question = probes.ApplicationLog(source(log), settings["window_hours"], log.read_mib * MIB)
    return ask(environment, log, question)


@noun("logs", where=lambda log: log.holds == "application", missing=APPLICATION)
def application_log_state(environment: Environment, log: Log, settings: Settings) -> Ask:
    """When it was last written, whatever it says: LogStateFacts."""
    return ask(environment, log, probes.LogState(source(log)))


@noun("logs", where=lambda log: log.holds == "database", missing="log that holds database")
def audit_trail(environment: Environment, log: Log, settings: Settings) -> Ask:
    """When the database's log was last written, and how far back it goes: LogStateFacts."""
    return ask(environment, log, probes.LogState(source(log)))


@noun("logs", where=lambda log: log.holds == "access", missing=ACCESS)
def access_log(environment: Environment, log: Log, settings: Settings) -> Ask:
    """How the requests of its last hours ended: AccessFacts."""
    question = probes.AccessLog(source(log), settings["window_hours"], settings["shown"], log.read_mib * MIB)
    return ask(environment, log, question)


@noun("logs", where=lambda log: log.holds == "access", missing=ACCESS)
def api_calls(environment: Environment, log: Log, settings: Settings) -> Ask:
    """Who called the API how often, and what scanners found, in its last hours: CallFacts."""
    question = probes.ApiCalls(
        source(log),
        settings["window_hours"],
        settings["shown"],
        settings["api"],
        tuple(settings["scanner_paths"]),
        log.read_mib * MIB,
    )
    return ask(environment, log, question)


@noun("logs", where=lambda log: log.holds == "auth", missing="log that holds auth")
def ssh_logins(environment: Environment, log: Log, settings: Settings) -> Ask:
    """Failed logins over SSH of its last hours, by client: LoginFacts."""
    question = probes.SshLogins(source(log), settings["window_hours"], settings["shown"], log.read_mib * MIB)
    return ask(environment, log, question)
