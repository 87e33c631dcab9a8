"""What can be known of a service: a unit, or a process known by its pid file."""

from __future__ import annotations

from opsverify.environment import Environment, Service
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import host as probes
from opsverify.vocabulary.hosts import ask_host


def ask(environment: Environment, service: Service, question: probes.Question) -> Ask:
    """Ask the host that a service runs on."""
    return ask_host(environment.hosts[service.host], question)


def is_backend(service: Service) -> bool:
    """Whether it runs the API."""
    return service.role == "backend"


@noun("services")
def service_status(environment: Environment, service: Service, settings: Settings) -> Ask:
    """Whether it runs, since when, and how often it was restarted: ServiceStatus."""
    return ask(environment, service, probes.ServiceState(service.unit, service.pid_file))


@noun("services", where=lambda s: s.role in ("backend", "frontend"), missing="service of role backend or frontend")
def listening(environment: Environment, service: Service, settings: Settings) -> Ask:
    """Whether its port is open, and whether it holds it itself: Listening."""
    port = service.port or int(settings[f"{service.role}_port"])
    return ask(environment, service, probes.ServiceListens(service.unit, service.pid_file, port))


@noun("services", where=is_backend, missing="service of role backend")
def variables(environment: Environment, service: Service, settings: Settings) -> Ask:
    """The variables of the running backend, without the values of secrets: EnvironmentFacts."""
    question = probes.ProcessEnvironment(service.unit, service.pid_file, service.env_files)
    return ask(environment, service, question)


@noun("services", where=is_backend, missing="service of role backend")
def installed_node(environment: Environment, service: Service, settings: Settings) -> Ask:
    """Node.js as installed on the backend's host: Version."""
    folders = environment.hosts[service.host].search_path
    return ask(environment, service, probes.CommandVersion("node", folders))


@noun("services", where=is_backend, missing="service of role backend")
def running_node(environment: Environment, service: Service, settings: Settings) -> Ask:
    """Node.js as the backend process runs it: Version."""
    return ask(environment, service, probes.ProcessExecutableVersion(service.unit, service.pid_file))
