"""What can be known of a service: a unit, or a process known by its pid file."""

from __future__ import annotations

from opsverify import slots
from opsverify.environment import Environment, Service
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import host as probes
from opsverify.probes import knock
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
    window = int(settings["window_minutes"])
    return ask(environment, service, probes.ServiceState(service.unit, service.pid_file, window))


def is_application(service: Service) -> bool:
    """Whether it runs the API or the front end."""
    return service.role in ("backend", "frontend")


@noun("services", where=is_application, missing="service of role backend or frontend")
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
def published_secrets(environment: Environment, service: Service, settings: Settings) -> Ask:
    """The running backend's secrets, held against what the checkout on its host publishes: PublishedSecretsFacts."""
    releases = (r for r in environment.releases.values() if r.host == service.host)
    release = next((r for r in releases if None in (r.slot, service.slot) or r.slot == service.slot), None)
    question = probes.PublishedSecrets(
        service.unit,
        service.pid_file,
        service.env_files,
        release.path if release else None,
        files=tuple(settings["files"]),
        secret_names=tuple(settings["secret_names"]),
        public_names=tuple(settings["public_names"]),
        read_names=tuple(settings["read_names"]),
    )
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


def _remains(environment: Environment, service: Service, settings: Settings) -> dict[str, Ask]:
    port = service.port or int(settings[f"{service.role}_port"])
    door = knock.Knock(environment.hosts[service.host].address, port)
    return {
        "status": ask(environment, service, probes.ServiceState(service.unit, service.pid_file)),
        "port": ask(environment, service, probes.ServiceListens(service.unit, service.pid_file, port)),
        "door": Ask(knock.probe, service, door, knock.SECONDS),
    }


@noun("services", where=is_application, missing="service of role backend or frontend", among=slots.every)
def application_remains(environment: Environment, service: Service, settings: Settings) -> dict[str, Ask]:
    """What is left of a backend or front end: its `status`, its `port` on the host, the `door` as seen from here."""
    return _remains(environment, service, settings)


@noun("services", where=is_application, missing="service of role backend or frontend", among=slots.every)
def node_processes(environment: Environment, service: Service, settings: Settings) -> Ask:
    """Every Node.js process of the host that a backend or front end runs on: a tuple of NodeProcess."""
    checkouts = tuple(release.path for release in environment.releases.values() if release.host == service.host)
    return ask(environment, service, probes.NodeProcesses(checkouts))


@noun("services", where=lambda s: s.role == "database", missing="service of role database", among=slots.every)
def database_remains(environment: Environment, service: Service, settings: Settings) -> dict[str, Ask]:
    """What is left of a database server: its `status`, its `port` on the host, the `door` as seen from here."""
    return _remains(environment, service, settings)


@noun("services", where=is_application, missing="service of role backend or frontend", among=slots.retired)
def retired_remains(environment: Environment, service: Service, settings: Settings) -> dict[str, Ask]:
    """What is left of a backend or front end of a retired slot, as `application_remains`."""
    return _remains(environment, service, settings)


@noun("services", where=lambda s: bool(s.env_files or s.unit), missing="service with env_files or a unit")
def secret_files(environment: Environment, service: Service, settings: Settings) -> Ask:
    """The files that hold a service's secrets, and who may read them: SecretsKept."""
    # The files that the unit of a front end or a server names need hold none.
    unit_files = bool(service.env_files) or is_backend(service)
    return ask(environment, service, probes.SecretFiles(service.env_files, service.unit, unit_files))


@noun("services", where=lambda s: is_backend(s) and s.unit is not None, missing="service of role backend with a unit")
def service_journal(environment: Environment, service: Service, settings: Settings) -> Ask:
    """The errors that the journal holds of its unit in the last hours: JournalFacts."""
    return ask(environment, service, probes.JournalErrors(settings["window_hours"], service.unit))
