"""What can be known of the documents that operators keep."""

from __future__ import annotations

from opsverify.config.environment import Document, Environment, Host, Release
from opsverify.evidence.query import Query
from opsverify.facts.hosts import host_query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.documents import web_document
from opsverify.probes.host.files.text_file import TextFile
from opsverify.probes.host.logs.written import WrittenLines
from opsverify.probes.host.release.package_version import PackageVersion


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
    return Host.model_validate({"name": "(here)", "environment": environment.name})


@fact("documents", where=is_runbook, missing="document that holds runbook")
def runbook_text(environment: Environment, document: Document, settings: Settings) -> Query:
    """The operators' runbook, whole: DocumentText."""
    if document.location.startswith(("http://", "https://")):
        return Query(web_document.probe, document, web_document.WebDocument())
    return host_query(place(environment, document), TextFile(document.location))


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
