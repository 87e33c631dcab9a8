"""Blue and green: who serves the public address, whether the idle slot may take over, whether the old one is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.environment import Environment
from opsverify.config.slots import every, idle, named, retired, where_slots_are
from opsverify.errors import NotApplicable, ProbeError
from opsverify.evidence.attempt import Attempt

TRAFFIC = "test_traffic_slot[public]"
IDLE = "test_idle_slot_ready[checkout-green]"


def test_whole_smoke_run_is_aimed_at_the_idle_slot(whole, verify):
    done = verify(
        "--slot", "green", "-m", "smoke", "-k", "api or frontend or listening or migrations or idle or traffic"
    )
    assert done.code == 0, done.output
    assert done[IDLE].verdict == "normal"
    assert not [name for name in done.found if "blue" in name]
    green = {"test_api_smoke[green]", "test_listening_port[backend-green]", "test_migrations_applied[checkout-green]"}
    assert green <= set(done.found)
    assert str(whole.backends["green"].port) in done["test_listening_port[backend-green]"].observed
    # Traffic is not moved yet: the slot declared active is still the one that must serve.
    assert done[TRAFFIC].verdict == "normal"
    assert done[TRAFFIC].observed.startswith("slot blue, ")


def test_idle_slot_is_asked_about_only_when_the_run_names_one(verify):
    for slot, reason in ((), "names no idle slot"), (("--slot", "blue"), "names the active slot, blue"):
        done = verify(*slot, "-k", "idle_slot", "-v")
        assert done.found["test_idle_slot_ready[not-applicable]"].verdict == "not applicable"
        assert reason in done.output


def test_idle_release_with_a_migration_that_is_not_applied_yet(whole, verify):
    pending = whole.layout.checkout_of("green") / "backend/prisma/migrations/20260101000000_add_awards"
    pending.mkdir()
    (pending / "migration.sql").write_text("CREATE TABLE awards (id text);\n")
    try:
        seen = verify("--slot", "green", "-k", "idle_slot or migrations_applied")
        active = verify("-k", "migrations_applied")
    finally:
        (pending / "migration.sql").unlink()
        pending.rmdir()
    assert seen[IDLE].verdict == "alert"
    assert "not applied: 20260101000000_add_awards" in seen[IDLE].sentence
    assert active["test_migrations_applied[checkout]"].verdict == "normal"


def test_idle_release_that_does_not_know_the_database(whole, verify):
    folder = sorted((whole.layout.checkout_of("green") / "backend/prisma/migrations").glob("2*"))
    edited, moved = folder[0] / "migration.sql", folder[1].rename(whole.layout.root / folder[1].name)
    before = edited.read_bytes()
    edited.write_bytes(before + b"-- edited\n")
    try:
        seen = verify("--slot", "green", "-k", "idle_slot")[IDLE]
    finally:
        edited.write_bytes(before)
        moved.rename(folder[1])
    assert seen.verdict == "alert"
    assert f"applied but not in the checkout: {folder[1].name}" in seen.sentence
    assert f"edited after it was applied: {folder[0].name}" in seen.sentence


def test_traffic_on_the_wrong_slot(whole, verify):
    whole.proxy.switch("green")
    try:
        seen = verify("-k", "traffic_slot")[TRAFFIC]
    finally:
        whole.proxy.switch("blue")
    assert seen.verdict == "alert"
    assert "observed slot green, a process started at" in seen.sentence
    assert "expected the API of slot blue" in seen.sentence


def test_answer_of_the_proxy_itself_is_nobody_s(verify, changed):
    page = changed({"proxies": {"public": {"health_path": "/"}}})
    seen = verify("-k", "traffic_slot", environment=page)[TRAFFIC]
    assert seen.verdict == "alert"
    assert "200, not the API's own JSON" in seen.sentence


def test_slots_that_cannot_be_told_apart(verify, changed):
    vague = changed({"checks": {"traffic-slot": {"settings": {"same_process_seconds": 3600}}}})
    seen = verify("-k", "traffic_slot", environment=vague)[TRAFFIC]
    assert seen.verdict == "undetermined"
    assert "slot blue fits; slot green fits" in seen.sentence


def test_process_of_no_slot(whole, verify, changed):
    # What the environment calls blue is another process than the one behind the proxy.
    other = changed({"apis": {"blue": {"url": whole.backends["green"].url}}})
    seen = verify("-k", "traffic_slot", environment=other)[TRAFFIC]
    assert seen.verdict == "alert"
    assert "no slot that is known" in seen.sentence
    whole.backends["green"].stop()
    try:
        alone = verify("-k", "traffic_slot")[TRAFFIC]
        unsure = verify("-k", "traffic_slot", environment=other)[TRAFFIC]
    finally:
        whole.backends["green"].start()
    assert alone.verdict == "normal"  # the idle slot may be down
    assert unsure.verdict == "undetermined"
    assert "slot green: http://127.0.0.1" in unsure.sentence
    assert "connection refused" in unsure.sentence


def test_retired_slot_must_run_no_more(whole, verify, changed):
    green = changed({"retired_slots": ["green"]})
    only = ("-k", "retired_slot")
    name = "test_retired_slot_stopped[{}-green]".format
    running = verify(*only, environment=green)
    for part in (whole.backends["green"], whole.frontends["green"]):
        part.stop()
    try:
        stopped = verify(*only, environment=green)
    finally:
        for part in (whole.backends["green"], whole.frontends["green"]):
            part.start()
    assert running[name("backend")].verdict == running[name("frontend")].verdict == "alert"
    assert "accepts connections" in running[name("backend")].sentence
    assert stopped[name("backend")].verdict == stopped[name("frontend")].verdict == "normal"
    assert stopped.code == 0
    assert set(stopped.found) == {name("backend"), name("frontend")}


def test_active_slot_cannot_be_declared_retired(project):
    project.environment(
        "here",
        "hosts: {here: {connection: 'local://'}}\nactive_slot: blue\nretired_slots: [blue, red]\n"
        "apis: {a: {url: 'http://localhost:1', slot: blue}, b: {url: 'http://localhost:2', slot: green}}\n",
    )
    done = project.run("--env", "here")
    assert done.code == 4
    assert "retired_slots.0: found 'blue', allowed green" in done.output
    assert "retired_slots.1: found 'red', allowed green" in done.output


SLOT = st.sampled_from(["blue", "green", "red", None])


@given(active=SLOT, run=SLOT, slots=st.lists(SLOT, max_size=4), gone=st.lists(SLOT.filter(bool), max_size=2))
def test_no_rule_aims_beside_the_slots_it_is_about(active, run, slots, gone):
    apis = {f"a{n}": {"url": "http://localhost:1", "slot": slot} for n, slot in enumerate(slots)}
    environment = Environment.model_validate({"active_slot": active, "retired_slots": gone, "apis": apis})
    assert {t.slot for t in every(environment, "apis", None)} == set(slots)
    for rule in (idle, retired, where_slots_are):
        try:
            result = {target.slot for target in rule(environment, "apis", run)}
        except NotApplicable:
            continue
        if rule is idle:
            assert result <= {run}
            assert run != active
        elif rule is retired:
            assert result <= set(gone)
        else:
            assert active is not None or not result


@pytest.mark.parametrize("rule", [idle, where_slots_are])
def test_environment_without_slots_is_excused(rule):
    with pytest.raises(NotApplicable, match="^this environment has no slots$"):
        rule(Environment(), "apis", None)


APIS = {name: {"url": "http://localhost:1", "slot": slot} for name, slot in
        {"b": "blue", "g": "green", "r": "red", "any": None}.items()}  # fmt: skip
SLOTS = Environment.model_validate({"active_slot": "blue", "retired_slots": ["red"], "apis": APIS})


@pytest.mark.parametrize(
    ("rule", "run", "slots"),
    [
        (named, None, ["blue", None]),
        (named, "green", ["green", None]),
        (every, None, ["blue", "green", "red", None]),
        (every, "green", ["green", None]),
        (where_slots_are, None, ["blue", None]),
        (where_slots_are, "green", ["green", None]),
        (idle, "green", ["green"]),
        (retired, None, ["red"]),
        (retired, "red", ["red"]),
    ],
)
def test_what_each_rule_aims_at(rule, run, slots):
    assert [target.slot for target in rule(SLOTS, "apis", run)] == slots


@pytest.mark.parametrize(
    ("rule", "run", "reason"),
    [
        (idle, None, "^the run names no idle slot"),
        (idle, "blue", "^--slot names the active slot, blue, which is not idle$"),
        (retired, "green", "^the environment declares no slot retired that --slot green names$"),
    ],
)
def test_why_a_rule_aims_at_nothing(rule, run, reason):
    with pytest.raises(NotApplicable, match=reason):
        rule(SLOTS, "apis", run)


def test_slots_without_an_active_one():
    undeclared = SLOTS.model_copy(update={"active_slot": None})
    assert where_slots_are(undeclared, "apis", None) == []
    with pytest.raises(NotApplicable, match="^the environment declares no slot retired$"):
        retired(Environment(), "apis", None)


def test_targets_of_a_kind_that_has_no_slots_belong_to_none():
    hosts = SLOTS.model_copy(update={"hosts": {"here": object()}})
    assert idle(hosts, "hosts", "green") == retired(hosts, "hosts", "red") == []


def test_process_of_a_cluster_that_was_not_met_is_no_stranger(judged):
    """PM2's cluster mode: three samples of a slot need not meet the worker that answers at the public address."""
    now = datetime.now(UTC)

    def health(*ages):
        boots = tuple(now - timedelta(seconds=age) for age in ages)
        return SimpleNamespace(boots=boots, uptime_seconds=1.5, rate_limited=False, is_api_json=True, age_seconds=0.0)

    apis = {"blue": SimpleNamespace(slot="blue"), "green": SimpleNamespace(slot="green")}
    facts = {"environment": SimpleNamespace(active_slot="blue", apis=apis), "public_health": health(50)}
    one_process = {"blue": Attempt(health(10, 10)), "green": Attempt(health(99))}
    cluster = {"blue": Attempt(health(10, 20)), "green": Attempt(health(99))}
    assert judged("reachability", "traffic-slot", slots_health=one_process, **facts).worst.verdict == "alert"
    with pytest.raises(ProbeError, match="slot blue runs several processes, and not every one was seen"):
        judged("reachability", "traffic-slot", slots_health=cluster, **facts)
