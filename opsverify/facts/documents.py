"""What can be known of the documents that operators keep."""

from __future__ import annotations

from opsverify.config.environment import Document, Environment, Host, OnHost, Release
from opsverify.evidence.query import Query
from opsverify.facts.hosts import host_query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.documents import web_document
from opsverify.probes.host.files.text_file import TextFile
from opsverify.probes.host.logs.written import WrittenLines
from opsverify.probes.host.release.package_version import PackageVersion
from opsverify.probes.postgres.probe import probe as postgres_probe
from opsverify.probes.postgres.server_version import ServerVersion
from opsverify.runbook_document.asking import HERE, SECONDS, Linted, Named, Reader, lint_probe, named_probe


def is_operations_log(document: Document) -> bool:
    """Whether it is the log of operations."""
    return document.holds == "operations log"


def is_runbook(document: Document) -> bool:
    """Whether it is the operators' runbook."""
    return document.holds == "runbook"


def place(environment: Environment, document: Document) -> Host:
    """The host that a document lies on; this machine for one that names none."""
    if document.host:
        return environment.hosts[document.host]
    return Host.model_validate({"name": HERE, "environment": environment.name})


@fact("documents", where=is_runbook, missing="document that holds runbook")
def runbook_text(environment: Environment, document: Document, settings: Settings) -> Query:
    """The operators' runbook, whole: DocumentText."""
    if document.location.startswith(("http://", "https://")):
        return Query(web_document.probe, document, web_document.WebDocument())
    return host_query(place(environment, document), TextFile(document.location))


def asked_hosts(environment: Environment) -> dict[str, list[OnHost]]:
    """The hosts that a runbook's commands are typed on, with what lies on each.

    Of hosts that are alike, as those of a group, the first: what is there is on all of them. One that is excused, as it
    is being rebuilt, is not asked.
    """
    on: dict[str, list[OnHost]] = {}
    for kind in ("releases", "services", "logs", "folders", "jobs", "alerts", "backups"):
        for target in getattr(environment, kind).values():
            if not {"hosts", "documents", "runbook-commands"} & environment.hosts[target.host].not_applicable.keys():
                on.setdefault(target.host, []).append(target)
    alike: dict[frozenset[tuple[str, str]], str] = {}
    for host, targets in on.items():
        alike.setdefault(frozenset((type(t).__name__, t.name.partition("@")[0]) for t in targets), host)
    return {host: on[host] for host in alike.values()}


@fact("documents", where=is_runbook, missing="document that holds runbook", attempt=True)
def named_in_runbook(environment: Environment, document: Document, settings: Settings) -> dict[str, Query]:
    """What the runbook's commands name on each host, and databases' versions: Attempts by `host x`, `database x`."""
    queries: dict[str, Query] = {}
    for name, targets in asked_hosts(environment).items():
        checkouts = tuple(dict.fromkeys(t.path for t in targets if isinstance(t, Release)))
        logs = tuple(log.path for log in environment.logs.values() if log.host == name and log.path is not None)
        host = environment.hosts[name]
        reader = Reader(document, place(environment, document), host)
        queries[f"host {name}"] = Query(named_probe, reader, Named(checkouts, logs), max(SECONDS, host.deadline))
    for name, database in environment.databases.items():
        queries[f"database {name}"] = Query(postgres_probe, database, ServerVersion())
    return queries


@fact("documents", where=is_runbook, missing="document that holds runbook")
def runbook_remarks(environment: Environment, document: Document, settings: Settings) -> Query:
    """What shellcheck says of the runbook, where this machine has it: a tuple of Remark."""
    return Query(lint_probe, Reader(document, place(environment, document)), Linted(), SECONDS)


@fact("documents", where=is_operations_log, missing="document that holds operations log")
def operations(environment: Environment, document: Document, settings: Settings) -> Query:
    """What operators wrote down of deployments and maintenance: WrittenLog."""
    question = WrittenLines(document.location, (settings["deployed"], settings["maintained"]))
    return host_query(place(environment, document), question)


@fact("documents", where=is_operations_log, missing="document that holds operations log")
def deployed_version(environment: Environment, document: Document, settings: Settings) -> Query:
    """The version that the deployed checkout names, a str; None where the environment lists no release."""
    release = next((r for r in environment.targets("releases") if isinstance(r, Release)), None)
    if release is None:
        return host_query(place(environment, document), PackageVersion(None))
    return host_query(environment.hosts[release.host], PackageVersion(release.path))
