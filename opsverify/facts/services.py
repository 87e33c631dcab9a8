"""What can be known of a service: a unit, a container, or a process known by its pid file."""

from __future__ import annotations

from typing import Any

from opsverify.config import slots
from opsverify.config.environment import Environment, Service
from opsverify.evidence.query import Query
from opsverify.facts.hosts import host_query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.host.logs.journal import JournalErrors
from opsverify.probes.host.question import Question
from opsverify.probes.host.release.published import PublishedSecrets
from opsverify.probes.host.system.container import ContainerState
from opsverify.probes.host.system.process_environment import ProcessEnvironment
from opsverify.probes.host.system.process_version import ProcessExecutableVersion
from opsverify.probes.host.system.secret_files import SecretFiles
from opsverify.probes.host.system.service_listens import ServiceListens
from opsverify.probes.host.system.services import ServiceState
from opsverify.probes.host.system.stopped import NodeProcesses
from opsverify.probes.host.system.versions import CommandVersion
from opsverify.probes.tcp import port as tcp


def service_query(environment: Environment, service: Service, question: Question) -> Query:
    """Ask the host that a service runs on."""
    return host_query(environment.hosts[service.host], question)


def named(service: Service) -> dict[str, Any]:
    """How its host knows it, for a ServiceQuestion."""
    return {name: getattr(service, name) for name in ("unit", "pid_file", "container", "engine")}


def is_backend(service: Service) -> bool:
    """Whether it runs the API."""
    return service.role == "backend"


@fact("services")
def service_status(environment: Environment, service: Service, settings: Settings) -> Query:
    """Whether it runs, since when, and how often it was restarted: ServiceStatus."""
    window = int(settings["window_minutes"])
    return service_query(environment, service, ServiceState(**named(service), window_minutes=window))


@fact("services", where=lambda s: s.container is not None, missing="service with a container", optional=True)
def container_state(environment: Environment, service: Service, settings: Settings) -> Query:
    """Whether its container runs and is well, and how often it was restarted: ContainerFacts."""
    return service_query(environment, service, ContainerState(service.container or "", service.engine))


def is_application(service: Service) -> bool:
    """Whether it runs the API or the front end."""
    return service.role in ("backend", "frontend")


@fact("services", where=is_application, missing="service of role backend or frontend")
def listening(environment: Environment, service: Service, settings: Settings) -> Query:
    """Whether its port is open, and whether it holds it itself: Listening."""
    port = service.port or int(settings[f"{service.role}_port"])
    return service_query(environment, service, ServiceListens(**named(service), port=port))


@fact("services", where=is_backend, missing="service of role backend")
def variables(environment: Environment, service: Service, settings: Settings) -> Query:
    """The variables of the running backend, without the values of secrets: EnvironmentFacts."""
    question = ProcessEnvironment(**named(service), env_files=service.env_files)
    return service_query(environment, service, question)


@fact("services", where=is_backend, missing="service of role backend")
def published_secrets(environment: Environment, service: Service, settings: Settings) -> Query:
    """The running backend's secrets, held against what the checkout on its host publishes: PublishedSecretsFacts."""
    releases = (r for r in environment.releases.values() if r.host == service.host)
    release = next((r for r in releases if None in (r.slot, service.slot) or r.slot == service.slot), None)
    question = PublishedSecrets(
        **named(service),
        env_files=service.env_files,
        checkout_path=release.path if release else None,
        files=tuple(settings["files"]),
        secret_names=tuple(settings["secret_names"]),
        public_names=tuple(settings["public_names"]),
        read_names=tuple(settings["read_names"]),
    )
    return service_query(environment, service, question)


@fact("services", where=is_backend, missing="service of role backend")
def installed_node(environment: Environment, service: Service, settings: Settings) -> Query:
    """Node.js as installed on the backend's host: Version. In a container, it is the one that runs."""
    if service.container is not None:
        return service_query(environment, service, ProcessExecutableVersion(**named(service)))
    folders = environment.hosts[service.host].search_path
    return service_query(environment, service, CommandVersion("node", folders))


@fact("services", where=is_backend, missing="service of role backend")
def running_node(environment: Environment, service: Service, settings: Settings) -> Query:
    """Node.js as the backend process runs it: Version."""
    return service_query(environment, service, ProcessExecutableVersion(**named(service)))


def _signs(environment: Environment, service: Service, settings: Settings) -> dict[str, Query]:
    port = service.port or int(settings[f"{service.role}_port"])
    check = tcp.PortCheck(environment.hosts[service.host].address, port)
    return {
        "status": service_query(environment, service, ServiceState(**named(service))),
        "port": service_query(environment, service, ServiceListens(**named(service), port=port)),
        "connection": Query(tcp.probe, service, check, tcp.SECONDS),
    }


@fact("services", where=is_application, missing="service of role backend or frontend", among=slots.every)
def application_signs(environment: Environment, service: Service, settings: Settings) -> dict[str, Query]:
    """What is left of a backend or front end: its `status`, its `port` on the host, the `connection` from here."""
    return _signs(environment, service, settings)


@fact("services", where=is_application, missing="service of role backend or frontend", among=slots.every)
def node_processes(environment: Environment, service: Service, settings: Settings) -> Query:
    """Every Node.js process of the host that a backend or front end runs on: a tuple of NodeProcess."""
    checkouts = tuple(release.path for release in environment.releases.values() if release.host == service.host)
    return service_query(environment, service, NodeProcesses(checkouts))


@fact("services", where=lambda s: s.role == "database", missing="service of role database", among=slots.every)
def database_signs(environment: Environment, service: Service, settings: Settings) -> dict[str, Query]:
    """What is left of a database server: its `status`, its `port` on the host, the `connection` from here."""
    return _signs(environment, service, settings)


@fact("services", where=is_application, missing="service of role backend or frontend", among=slots.retired)
def retired_signs(environment: Environment, service: Service, settings: Settings) -> dict[str, Query]:
    """What is left of a backend or front end of a retired slot, as `application_signs`."""
    return _signs(environment, service, settings)


@fact(
    "services",
    where=lambda s: bool(s.env_files or s.unit or s.container),
    missing="service with env_files, a unit or a container",
    excuse=lambda s: "" if s.env_files or s.unit else f"the variables of {s.name} are its container's, no file's",
)
def secret_files(environment: Environment, service: Service, settings: Settings) -> Query:
    """The files that hold a service's secrets, and who may read them: SecretsKept."""
    # The files that the unit of a front end or a server names need hold none.
    unit_files = bool(service.env_files) or is_backend(service)
    return service_query(environment, service, SecretFiles(service.env_files, service.unit, unit_files))


@fact(
    "services",
    where=lambda s: is_backend(s) and s.pid_file is None,
    missing="service of role backend with a unit",
    excuse=lambda s: f"{s.name} is a container, what it prints is a log" if s.container else "",
)
def service_journal(environment: Environment, service: Service, settings: Settings) -> Query:
    """The errors that the journal holds of its unit in the last hours: JournalFacts."""
    return service_query(environment, service, JournalErrors(settings["window_hours"], service.unit))
