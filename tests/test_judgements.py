"""The pure judgements that several checks share: migrations, remains of a service, traffic, exposure, HSTS."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.environment import Release, Service
from opsverify.errors import ProbeError
from opsverify.judgements.exposure import everywhere, public_addresses
from opsverify.judgements.migrations import applied, differences
from opsverify.judgements.remains import leftovers, signs_of_life
from opsverify.judgements.traffic import precision_seconds, seen_slots
from opsverify.judgements.transport_security import max_age
from opsverify.nouns import Attempt
from opsverify.probes.host import Listening, MigrationListing, NodeProcess, ServiceInstance, ServiceStatus
from opsverify.probes.host.releases import Migration as OfCheckout
from opsverify.probes.knock import Door
from opsverify.probes.postgres import AppliedMigrationsFacts, Migration

NOW = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
UNIT = ServiceInstance(
    "mycats-backend.service", "loaded", "inactive", "dead", "enabled", "success", "simple", None, 0, None, ""
)
CLOSED = Listening(3004, False, (), None, None, None, ())
OPEN = Listening(3004, True, ("127.0.0.1", "::"), 77, "node", None, ())
REFUSED = Door("refused", "app1:3004: connection refused")


def remains(status: ServiceStatus, port: Listening = CLOSED, door: Door = REFUSED) -> dict[str, Any]:
    return {"status": status, "port": port, "door": door}


def gone(found: dict[str, Any]) -> list[bool]:
    return [sign.gone for sign in signs_of_life(found)]


# --- migrations ------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c"])
SUMS = st.sampled_from(["1", "2"])


def row(name: str, checksum: str = "1", *, finished: bool = True, rolled_back: bool = False) -> Migration:
    return Migration(name, checksum, NOW, NOW if finished else None, NOW if rolled_back else None, 1, not finished)


@given(files=st.dictionaries(NAMES, SUMS), rows=st.dictionaries(NAMES, SUMS))
def test_checkout_and_database_agree_only_when_they_are_equal(files, rows):
    here = MigrationListing("/srv", True, "f", tuple(OfCheckout(*pair) for pair in files.items()))
    there = AppliedMigrationsFacts(True, "public", tuple(row(*pair) for pair in rows.items()))
    assert (not any(differences(here, there).values())) == (files == rows)


def test_migration_applied_again_after_it_was_rolled_back_is_settled():
    there = AppliedMigrationsFacts(True, "public", (row("a", finished=False, rolled_back=True), row("a")))
    here = MigrationListing("/srv", True, "f", (OfCheckout("a", "1"),))
    assert not any(differences(here, there).values())
    assert applied(there) == {"a": "1"}


# --- remains ---------------------------------------------------------------------------------------------------------


def test_stopped_unit_is_gone_and_a_running_one_is_not():
    status = ServiceStatus("mycats-backend.service", True, False, UNIT)
    assert gone(remains(status)) == [True, True, True]
    assert gone(remains(status, door=Door("open", "app1:3004 accepts connections"))) == [True, True, False]
    for state in ("active", "activating", "deactivating", "reloading"):
        assert not gone(remains(replace(status, main=replace(UNIT, active_state=state))))[0]


def test_debian_s_wrapper_is_down_only_when_its_clusters_are():
    wrapper = replace(UNIT, unit="postgresql.service")
    cluster = replace(UNIT, unit="postgresql@15-main.service", active_state="active")
    status = ServiceStatus("postgresql.service", True, False, wrapper, (cluster,))
    service, *_ = signs_of_life(remains(status))
    assert not service.gone
    assert service.observed == "postgresql.service inactive, postgresql@15-main.service active"


def test_no_answer_proves_nothing_and_an_open_port_on_the_host_proves_the_opposite():
    status = ServiceStatus("mycats-backend.service", True, False, UNIT)
    silent = Door("unknown", "app9:3004: its name could not be resolved")
    _, port, door = signs_of_life(remains(status, OPEN, silent))
    assert not port.gone
    assert "held by node (process 77)" in port.observed
    assert door.observed.endswith("its name could not be resolved, which proves nothing")


def test_unit_that_does_not_exist_is_not_known_to_be_stopped():
    missing = ServiceStatus("typo.service", False, False, replace(UNIT, load_state="not-found"))
    with pytest.raises(ProbeError, match="there is no such unit"):
        signs_of_life(remains(missing))


def test_leftovers_are_told_by_where_they_work():
    backend = Service(host="app", role="backend", slot="blue", unit="x")
    frontend = backend.model_copy(update={"role": "frontend"})
    releases = [
        Release(host="app", slot="blue", path="/srv/mycats", database="d"),
        Release(host="app", slot="green", path="/srv/mycats-green", database="d"),
        Release(host="other", slot="blue", path="/srv/elsewhere", database="d"),
    ]
    node = NodeProcess(1, "node", "node dist/main", "/srv/mycats/backend")
    page = NodeProcess(2, "next-server (v1", "next-server (v15)", "/srv/mycats/frontend")
    root = NodeProcess(3, "node", "node backend/dist/main", "/srv/mycats")
    unseen = NodeProcess(4, "node", "node dist/main", None)
    unseen_page = NodeProcess(5, "next-server (v1", "next-server", None)
    strangers = [
        NodeProcess(6, "node", "node x", "/srv/mycats-green/backend"),
        NodeProcess(7, "node", "node x", "/srv/elsewhere"),
        NodeProcess(8, "node", "node x", "/srv/mycats-old/backend"),
    ]
    found = [node, page, root, unseen, unseen_page, *strangers]
    assert leftovers(found, backend, releases) == ([node, root], [unseen])
    assert leftovers(found, frontend, releases) == ([page, root], [unseen_page])


# --- traffic ---------------------------------------------------------------------------------------------------------


def answer(*boots: datetime | None, uptime: float = 17.25) -> Any:
    return SimpleNamespace(boots=boots, uptime_seconds=uptime)


@given(seconds=st.floats(-3600, 3600), tolerance=st.floats(0, 60))
def test_a_process_is_known_by_when_it_started(seconds, tolerance):
    at = NOW + timedelta(seconds=seconds)
    found = seen_slots([("blue", Attempt(answer(NOW))), ("green", Attempt(failure="connection refused"))])
    assert found.silent == ("slot green: connection refused",)
    fits = abs((at - NOW).total_seconds()) <= tolerance
    assert found.running_since(at, answer(), tolerance) == (["blue"] if fits else [])


def test_slot_of_several_processes_is_known_by_any_of_them():
    later = NOW + timedelta(seconds=9)
    found = seen_slots(
        [("blue", Attempt(answer(None))), ("blue", Attempt(answer(NOW, later))), ("green", Attempt(answer(later)))]
    )
    assert found.silent == ()
    assert found.running_since(NOW, answer(), 0.1) == ["blue"]
    assert found.running_since(later, answer(), 0.1) == ["blue", "green"]
    assert found.running_since(None, answer(), 0.1) == []
    assert found.running_since(NOW + timedelta(seconds=0.9), answer(uptime=17.0), 0.1) == ["blue"]


def test_uptime_in_whole_seconds_tells_the_start_to_a_second():
    assert precision_seconds(SimpleNamespace(uptime_seconds=17.0)) == 1.0  # type: ignore[arg-type]
    assert precision_seconds(SimpleNamespace(uptime_seconds=17.25)) == 0.0  # type: ignore[arg-type]
    assert precision_seconds(SimpleNamespace(uptime_seconds=None)) == 0.0  # type: ignore[arg-type]


# --- exposure --------------------------------------------------------------------------------------------------------

OWN = ("127.0.0.1", "10.0.0.5", "8.8.4.4", "::1", "fd00::1", "2a00:1450::1")


@pytest.mark.parametrize(
    ("bound", "reached"),
    [
        ("127.0.0.1", []),
        ("10.0.0.5", []),
        ("fd00::1", []),
        ("169.254.3.4", []),
        ("100.64.0.7", []),
        ("8.8.4.4", ["8.8.4.4"]),
        ("2a00:1450::1", ["2a00:1450::1"]),
        ("0.0.0.0", ["8.8.4.4"]),
        ("::", ["8.8.4.4", "2a00:1450::1"]),
    ],
)
def test_what_the_internet_reaches(bound, reached):
    assert public_addresses(bound, OWN) == reached
    assert everywhere(bound) == (bound in ("0.0.0.0", "::"))


@given(st.ip_addresses(), st.lists(st.ip_addresses().map(str)))
def test_only_addresses_of_the_host_are_named(bound, own):
    assert set(public_addresses(str(bound), own)) <= {str(bound), *own}


# --- Strict-Transport-Security ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("max-age=31536000", 31536000),
        ('includeSubDomains; MAX-AGE="0" ; preload', 0),
        ("max-age=31536000; max-age=0", None),
        ("max-age=-1", None),
        ("max-age=1e9", None),
        ("max-age", None),
        ("includeSubDomains", None),
        ("", None),
        (None, None),
    ],
)
def test_how_long_browsers_stay_on_https(header, seconds):
    assert max_age(header) == seconds


@given(st.text())
def test_any_header_is_a_number_of_seconds_or_none(header):
    found = max_age(header)
    assert found is None or found >= 0
