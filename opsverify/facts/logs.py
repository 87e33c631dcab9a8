"""What can be known of a log."""

from __future__ import annotations

from opsverify.config.environment import Environment, Log
from opsverify.evidence.query import Query
from opsverify.facts.hosts import host_query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.host.logs.access import AccessLog
from opsverify.probes.host.logs.application import ApplicationLog
from opsverify.probes.host.logs.calls import ApiCalls
from opsverify.probes.host.logs.log_state import LogState
from opsverify.probes.host.logs.logins import SshLogins
from opsverify.probes.host.logs.window import Source
from opsverify.probes.host.question import MIB, Question

APPLICATION = "log that holds application"
ACCESS = "log that holds access"


def query(environment: Environment, log: Log, question: Question) -> Query:
    """Ask the host that a log is on."""
    return host_query(environment.hosts[log.host], question)


def source(log: Log) -> Source:
    """Where it is."""
    return Source(log.path, log.unit, log.container, log.engine)


@fact("logs", where=lambda log: log.holds == "application", missing=APPLICATION)
def application_log(environment: Environment, log: Log, settings: Settings) -> Query:
    """The errors of its last hours: ApplicationFacts."""
    question = ApplicationLog(source(log), settings["window_hours"], log.read_mib * MIB)
    return query(environment, log, question)


@fact("logs", where=lambda log: log.holds == "application", missing=APPLICATION)
def application_log_state(environment: Environment, log: Log, settings: Settings) -> Query:
    """When it was last written, whatever it says: LogStateFacts."""
    return query(environment, log, LogState(source(log)))


@fact("logs", where=lambda log: log.holds == "database", missing="log that holds database")
def audit_trail(environment: Environment, log: Log, settings: Settings) -> Query:
    """When the database's log was last written, and how far back it goes: LogStateFacts."""
    return query(environment, log, LogState(source(log)))


@fact("logs", where=lambda log: log.holds == "access", missing=ACCESS)
def access_log(environment: Environment, log: Log, settings: Settings) -> Query:
    """How the requests of its last hours ended: AccessFacts."""
    question = AccessLog(source(log), settings["window_hours"], settings["shown"], log.read_mib * MIB)
    return query(environment, log, question)


@fact("logs", where=lambda log: log.holds == "access", missing=ACCESS)
def api_calls(environment: Environment, log: Log, settings: Settings) -> Query:
    """Who called the API how often, and what scanners found, in its last hours: CallFacts."""
    question = ApiCalls(
        source(log),
        settings["window_hours"],
        settings["shown"],
        settings["api"],
        tuple(settings["scanner_paths"]),
        log.read_mib * MIB,
    )
    return query(environment, log, question)


@fact("logs", where=lambda log: log.holds == "auth", missing="log that holds auth")
def ssh_logins(environment: Environment, log: Log, settings: Settings) -> Query:
    """Failed logins over SSH of its last hours, by client: LoginFacts."""
    question = SshLogins(source(log), settings["window_hours"], settings["shown"], log.read_mib * MIB)
    return query(environment, log, question)
