"""What can be known of the documents that operators keep."""

from __future__ import annotations

from opsverify.environment import Document, Environment, Host, Release
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import host as probes
from opsverify.probes import web_document
from opsverify.vocabulary.hosts import ask_host


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


@noun("documents", where=is_runbook, missing="document that holds runbook")
def manual(environment: Environment, document: Document, settings: Settings) -> Ask:
    """The operators' runbook, whole: DocumentText."""
    if document.location.startswith(("http://", "https://")):
        return Ask(web_document.probe, document, web_document.WebDocument())
    return ask_host(place(environment, document), probes.TextFile(document.location))


@noun("documents", where=is_operations_log, missing="document that holds operations log")
def operations(environment: Environment, document: Document, settings: Settings) -> Ask:
    """What operators wrote down of deployments and maintenance: WrittenLog."""
    question = probes.WrittenLines(document.location, (settings["deployed"], settings["maintained"]))
    return ask_host(place(environment, document), question)


@noun("documents", where=is_operations_log, missing="document that holds operations log")
def deployed_version(environment: Environment, document: Document, settings: Settings) -> Ask:
    """The version that the deployed checkout names, a str; None where the environment lists no release."""
    release = next((r for r in environment.targets("releases") if isinstance(r, Release)), None)
    if release is None:
        return ask_host(place(environment, document), probes.PackageVersion(None))
    return ask_host(environment.hosts[release.host], probes.PackageVersion(release.path))
