"""Which hosts a runbook is held against, and from where."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from opsverify.config.environment import Environment, Host
from opsverify.config.loading import load_environment, load_items
from opsverify.evidence.cluster import belongs_here
from opsverify.facts.documents import asked_hosts, place
from opsverify.facts.registry import FACTS
from opsverify.runbook_document.asking import Named, Reader, lint_probe, named_probe
from tests.runbook_document.conftest import ROOT

ITEMS = load_items(ROOT / "checks/runbook.yaml")


@pytest.fixture
def load(monkeypatch):
    """Load an environment file, with some value for each of its variables."""
    for name in ("MYCATS_LOGIN_PASSWORD", "MYCATS_MONITOR_PASSWORD"):
        monkeypatch.setenv(name, "some-password-of-tests")

    def load(path: Path) -> Environment:
        return load_environment(path, ITEMS).environment

    return load


def test_each_host_is_asked_for_what_lies_on_it(load):
    environment = load(ROOT / "environments/production.yaml")
    assert list(asked_hosts(environment)) == ["app1", "app2", "db"]
    (runbook,) = (d for d in environment.documents.values() if d.holds == "runbook")
    queries = FACTS["named_in_runbook"].query(environment, runbook, {})
    assert list(queries) == ["host app1", "host app2", "host db", "database primary"]
    app1 = queries["host app1"]
    assert app1.question == Named(("/srv/mycats",), ("/srv/mycats/backend/backend.log", "/var/log/nginx/access.log"))
    assert app1.target.label == "host app1"
    assert len({query.target.identity for query in queries.values()}) == 4
    assert pickle.loads(pickle.dumps(app1)).target.identity == app1.target.identity


def test_of_hosts_that_are_alike_the_first_that_is_there_is_asked(load):
    environment = load(ROOT / "environments/examples/fleet.yaml")
    # web01 has the access log, db1 the backups; web02 stands for web03 to web12, of which web10 is being rebuilt.
    assert list(asked_hosts(environment)) == ["web01", "web02", "worker1.mycats.internal", "db1.mycats.internal",
                                              "db2.mycats.internal"]  # fmt: skip
    gone = environment.hosts["web02"].model_copy(update={"not_applicable": {"hosts": "is being rebuilt"}})
    rebuilt = environment.model_copy(update={"hosts": {**environment.hosts, "web02": gone}})
    assert list(asked_hosts(rebuilt))[:2] == ["web01", "web03"]


def test_a_document_of_this_machine_is_read_on_this_machine(load):
    environment = load(ROOT / "environments/production.yaml")
    (runbook,) = (d for d in environment.documents.values() if d.holds == "runbook")
    far = Host.model_validate({"name": "far", "connection": "ssh://m@far", "via": "tokyo"})
    here = runbook.model_copy(update={"host": None})
    on_the_web = here.model_copy(update={"location": "https://wiki.example.com/runbook.md"})
    for document, stays in ((runbook, False), (here, True), (on_the_web, False)):
        reader = Reader(document, place(environment, document), far)
        assert belongs_here(named_probe, reader) is stays
        assert reader.via == (None if stays else "tokyo")
    assert belongs_here(lint_probe, Reader(here, place(environment, here)))
