"""Hosts that nothing is wrong with: what a run over ssh says of them, and what an account without rights cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from opsverify.runbook_document.commands import read
from rehearsal.machines.host import TestHost

from .conftest import ROOT, Ran, Suite

# A host of this minute has no history: its logs begin only now, and say so.
YOUNG = {
    "test_application_log_errors[application-app1]",
    "test_service_journal_errors[backend-app1]",
    "test_system_log_errors[app1]",
    "test_failed_logins[auth-app1]",
    "test_audit_trail[database-app1]",
}
# What only root may see: never normal without it.
HIDDEN = {
    "test_accounts[app1]",
    "test_application_backup_readable[app1]",
    "test_database_backup_complete[app1]",
    "test_weekly_backup[weekly-backups-app1]",
}
HALF_SEEN = {"test_listening_port[backend-app1]", "test_listening_port[frontend-app1]"}


def test_a_healthy_host_is_normal(healthy: Ran) -> None:
    assert healthy.named("alert", "undetermined", "blocked", "broken") == set(), healthy.output
    assert healthy.named("warning") == YOUNG
    assert healthy.code == 0
    assert len(healthy.named("normal")) > 60


def test_everything_applies_but_what_a_test_host_cannot_have(healthy: Ran) -> None:
    skipped = {name.partition("[")[0] for name in healthy.named("not applicable")}
    assert skipped == {"test_traffic_slot", "test_idle_slot_ready", "test_retired_slot_stopped",
                       "test_dependency_audit", "test_disk_forecast", "test_container_health", "test_name_resolves",
                       "test_time_synchronised", "test_automatic_updates", "test_wal_archiving"}  # fmt: skip


def test_drills_restore_over_ssh(app1: TestHost, suite: Suite) -> None:
    drills = suite([app1], "-m", "weekly", "-k", "restore_drill")
    assert set(drills.verdicts.values()) == {"normal"}, drills.output


def test_an_unprivileged_account_sees_less_and_says_so(app1: TestHost, suite: Suite, healthy: Ran) -> None:
    ran = suite([app1], "-m", "smoke or daily or weekly or monthly", "-k", "not drill", user="monitor")
    worse = ran.worse_than(healthy)
    assert {name for name, verdict in worse.items() if verdict == "undetermined"} == HIDDEN, ran.output
    assert {name for name, verdict in worse.items() if verdict == "warning"} == HALF_SEEN
    assert worse.keys() == HIDDEN | HALF_SEEN
    for name in HIDDEN:
        assert "this account may not" in ran.sentences[name] or "by this account" in ran.sentences[name]
    for name in ("test_node_version[backend-app1]", "test_supported_node[backend-app1]"):
        assert "as its unit starts it" in ran.sentences[name]


def test_an_unprivileged_account_can_gate_a_deployment(app1: TestHost, suite: Suite) -> None:
    ran = suite([app1], "-m", "smoke", user="monitor")
    assert (ran.code, ran.named("warning")) == (0, HALF_SEEN), ran.output


def test_secrets_that_may_not_be_read_are_never_taken_for_good(
    app1: TestHost, suite: Suite, broken: Callable[..., AbstractContextManager[None]]
) -> None:
    env = "/etc/mycats/backend.env"
    with broken(app1, f"chown root:root {env}; chmod 0600 {env}", f"chown root:mycats {env}; chmod 0640 {env}"):
        secret = "(required_variables or jwt_secret or database_url or node_env) and not api_node_env"
        ran = suite([app1], "-k", secret, user="monitor")
    assert len(ran.verdicts) == 4
    assert set(ran.verdicts.values()) == {"undetermined"}, ran.output
    for sentence in ran.sentences.values():
        assert "may not read the environment of process" in sentence and env in sentence


def test_two_hosts_in_one_run(hosts: Sequence[TestHost], suite: Suite) -> None:
    ran = suite(hosts, "-m", "smoke")
    assert ran.named("alert", "undetermined", "blocked", "broken", "warning") == set(), ran.output
    judged = [name for name, verdict in ran.verdicts.items() if verdict != "not applicable"]
    of = {
        host.name: {name.removesuffix(f"{host.name}]") for name in judged if name.endswith(f"{host.name}]")}
        for host in hosts
    }
    assert of["app1"] == of["app2"]
    assert len(of["app1"]) > 20


def test_the_runbook_to_adopt_holds_on_a_server(
    app1: TestHost, suite: Suite, broken: Callable[..., AbstractContextManager[None]]
) -> None:
    """Each unit, path and script that it names is there; but for the figures that test hosts have of their own."""
    runbook, log = "/srv/mycats/docs/operations.md", "/srv/mycats/backend/backend.log"
    text = (ROOT / "docs/operations-runbook.ja.md").read_text(encoding="utf-8")
    adopt = f"cp {runbook} /root/operations.md; touch {log}; cat > {runbook} <<'ADOPTED'\n{text}ADOPTED\n"
    with broken(app1, adopt, f"cat /root/operations.md > {runbook}; rm {log}"):
        ran = suite([app1], "-k", "runbook_commands")
    assert ran.verdicts == {"test_runbook_commands[runbook-app1]": "normal"}, ran.output
    assert (
        f"{read(text).count} commands, held against what is on app1"
        in ran.sentences["test_runbook_commands[runbook-app1]"]
    )
