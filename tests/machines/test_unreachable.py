"""Hosts that cannot be reached: one cause, however many checks it blocks, and nothing of other hosts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from rehearsal.machines.host import TestHost

from .conftest import Suite


def test_sshd_refuses_the_key(
    app1: TestHost, suite: Suite, broken: Callable[..., AbstractContextManager[None]]
) -> None:
    keys, kept = "/root/.ssh/authorized_keys", "/root/.ssh/kept"
    with broken(app1, f"mv {keys} {kept}", f"mv {kept} {keys}"):
        ran = suite([app1], "-m", "smoke")
    blocked = ran.named("blocked")
    assert "test_service_active[backend-app1]" in blocked
    assert len({ran.sentences[name] for name in blocked}) == 1
    assert "SSH authentication refused" in ran.sentences["test_memory_usage[app1]"]
    # What does not take the host is verified all the same.
    assert ran.verdicts["test_api_health[app1]"] == ran.verdicts["test_database_connect[app1]"] == "normal"
    assert ran.named("alert", "undetermined", "broken") == set(), ran.output


def test_a_host_is_powered_off(hosts: Sequence[TestHost], suite: Suite) -> None:
    app1, app2 = hosts
    app2.power_off()
    try:
        ran = suite(hosts, "-m", "smoke")
    finally:
        app2.power_on()
    assert not [name for name in ran.named("alert", "undetermined", "blocked", "broken") if name.endswith("app1]")]
    of_the_host = {ran.sentences[name] for name in ran.named("blocked") if "host app2" in ran.sentences[name]}
    assert len(of_the_host) == 1, of_the_host
    assert ran.verdicts["test_service_active[backend-app2]"] == "blocked"
    assert ran.verdicts["test_api_health[app2]"] == "alert"
    # After the boot everything is back by itself.
    again = suite([app2], "-m", "smoke")
    assert again.named("alert", "undetermined", "blocked", "broken") == set(), again.output
