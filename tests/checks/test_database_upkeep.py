"""What checks make of a database's log, slots, keys, collations and roles; the questions themselves: tests/probes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsverify.config.bands import Verdict
from opsverify.errors import MissingPrivilege, NotApplicable, ProbeError
from opsverify.probes.postgres.collation_versions import CollationVersionsFacts, Versioned
from opsverify.probes.postgres.key_usage import Key, KeyUsageFacts
from opsverify.probes.postgres.replication_slots import ReplicationSlot, ReplicationSlotsFacts
from opsverify.probes.postgres.role_expiry import RoleEnd, RoleExpiryFacts
from opsverify.probes.postgres.wal_archiving import WalArchivingFacts

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ARCHIVING = WalArchivingFacts(
    mode="on", in_recovery=False, configured=True, does_nothing=False, timeout_seconds=60,
    archived_at=NOW - timedelta(hours=1), failed_at=NOW - timedelta(hours=2), failed_segment="0" * 24,
    observed_since=NOW - timedelta(days=90), observed_at=NOW, all_archived=False, listed=0, waiting_since=None, role="m",
)  # fmt: skip


def ago(**much: float) -> datetime:
    return NOW - timedelta(**much)


@pytest.mark.parametrize(
    ("changes", "verdict", "sentence"),
    [
        ({}, "normal", "1 h (the last segment on 2026-11-27 11:00:00 UTC, 0 waiting)"),
        ({"archived_at": ago(hours=25), "failed_at": None}, "warning", "25 h"),
        ({"archived_at": ago(hours=50), "failed_at": None}, "alert", "50 h"),
        ({"failed_at": None, "all_archived": True, "timeout_seconds": 0}, "normal", "nothing written since"),
        ({"archived_at": None, "failed_at": None, "observed_since": ago(hours=50)}, "alert", "no segment yet"),
        ({"archived_at": None, "failed_at": None, "observed_since": ago(hours=1)}, "normal", "no segment yet"),
        ({"configured": False}, "alert", "neither archive_command nor archive_library is set"),
        ({"does_nothing": True}, "warning", "succeeds without keeping anything"),
        ({"failed_at": ago(minutes=5)}, "warning", "failed at 2026-11-27 11:55:00 UTC"),
        ({"failed_at": ago(minutes=5), "listed": 1, "waiting_since": ago(minutes=14)}, "warning", "failed at"),
        ({"failed_at": ago(minutes=5), "listed": 1, "waiting_since": ago(minutes=15)}, "alert", "failed at"),
        ({"archived_at": None, "observed_since": ago(hours=3)}, "warning", "failed at"),
        ({"failed_at": ago(minutes=5), "listed": None}, "alert", "failed at"),
        ({"listed": 10, "waiting_since": ago(minutes=1)}, "warning", "10 segments waiting"),
        ({"listed": 101, "waiting_since": ago(minutes=1)}, "alert", "101 segments waiting"),
    ],
)
def test_what_is_made_of_the_archive(judged, changes, verdict, sentence):
    seen = judged("backup", "wal-archiving", wal_archiving=replace(ARCHIVING, **changes)).worst
    assert (seen.verdict, sentence in seen.observed) == (verdict, True), seen.observed


def test_an_archive_of_which_not_all_may_be_seen_is_not_green(judged):
    with pytest.raises(MissingPrivilege, match="GRANT pg_monitor TO m"):
        judged("backup", "wal-archiving", wal_archiving=replace(ARCHIVING, listed=None))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mode": "off"}, "archive_mode is off"),
        ({"mode": "on", "in_recovery": True}, "archive_mode is on, and this is a standby"),
    ],
)
def test_where_nothing_is_archived_nothing_is_promised(judged, changes, reason):
    with pytest.raises(NotApplicable, match=f"^{reason}$"):
        judged("backup", "wal-archiving", wal_archiving=replace(ARCHIVING, **changes))
    assert replace(ARCHIVING, mode="always", in_recovery=True).active


GIB = 2**30


@pytest.mark.parametrize(
    ("slots", "verdict", "sentence"),
    [
        ([], "normal", "0 GiB (no unused slot of 0)"),
        ([("a", False, False, GIB - 2**24)], "normal", "a (physical, unused) 0.98 GiB"),
        ([("a", False, False, GIB)], "warning", "1 GiB"),
        ([("a", True, False, 0), ("b", False, False, 11 * GIB)], "alert", "11 GiB (b (physical, unused) 11.00 GiB)"),
        ([("a", True, False, 20 * GIB)], "warning", "a (physical, in use) 20.00 GiB"),
        ([("a", False, True, 20 * GIB)], "warning", "a has lost what its reader needs"),
    ],
)
def test_what_is_made_of_slots(judged, slots, verdict, sentence):
    facts = ReplicationSlotsFacts(
        tuple(ReplicationSlot(n, "physical", used, lost, kept) for n, used, lost, kept in slots)
    )
    seen = judged("resources", "replication-slots", replication_slots=facts).worst
    assert (seen.verdict, sentence in seen.observed) == (verdict, True), seen.observed


@pytest.mark.parametrize(
    ("keys", "verdict", "sentence"),
    [
        ([], "normal", "no sequence and no integer key"),
        ([("t.id", 74.9, True), ("u.id", 1, True)], "normal", "t.id 74.9 %"),
        ([("t.id", 75, True)], "warning", "t.id 75 %"),
        ([("t.id", 91, True)], "alert", "t.id 91 %"),
        ([("t.id", 99, False)], "warning", "t.id 99.0 %"),
        ([("t.id", 99, False), ("u.id", 91, True)], "alert", "u.id 91 %"),
    ],
)
def test_what_is_made_of_keys(judged, keys, verdict, sentence):
    facts = KeyUsageFacts(tuple(Key(*key) for key in keys), None)
    seen = judged("maintenance", "key-exhaustion", key_usage=facts).worst
    assert (seen.verdict, sentence in seen.observed) == (verdict, True), seen.observed


def test_keys_that_are_hidden_are_not_green_and_hide_no_alert(judged):
    hidden = MissingPrivilege("GRANT SELECT ON SEQUENCE s")
    for keys in ((), (Key("t.id", 1, True),), (Key("t.id", 80, True),)):
        with pytest.raises(MissingPrivilege, match="GRANT SELECT"):
            judged("maintenance", "key-exhaustion", key_usage=KeyUsageFacts(keys, hidden))
    facts = KeyUsageFacts((Key("t.id", 91, True),), hidden)
    assert judged("maintenance", "key-exhaustion", key_usage=facts).worst.verdict is Verdict.ALERT


@pytest.mark.parametrize(
    ("collations", "own", "others", "verdict", "sentence"),
    [
        ([("x", "1", "1")], [("d", "2", "2")], [("o", None, None)], "normal", "1 collations in use, 2 databases"),
        ([], [], [], "normal", "PostgreSQL 15 keeps no version of databases"),
        ([("x", "1", "2")], [], [], "alert", "x made under 1, now 2"),
        ([], [("d", "2.36", "2.41")], [], "alert", "d made under 2.36, now 2.41"),
        ([], [("d", "2.36", None)], [], "alert", "d made under 2.36, now without versions"),
        ([], [("d", None, "2.36")], [], "warning", "d made under no known version, now 2.36"),
        ([], [("d", "2", "2")], [("o", "1", "2")], "warning", "another database of the server, o made under 1, now 2"),
    ],
)
def test_what_is_made_of_versions(judged, collations, own, others, verdict, sentence):
    facts = CollationVersionsFacts(
        *(tuple(Versioned(*v) for v in some) for some in (collations, own, others)), major=15
    )
    seen = judged("maintenance", "collation-version", collation_versions=facts).worst
    assert (seen.verdict, sentence in seen.observed) == (verdict, True), seen.observed


@pytest.mark.parametrize(
    ("roles", "verdict", "sentence"),
    [
        ([("a", True, True, None), ("b", True, True, None)], "normal", "no end for a, b"),
        ([("a", True, True, 31.0), ("b", True, True, None)], "normal", "a 31 days"),
        ([("a", True, True, 30.0)], "warning", "a 30 days"),
        ([("a", True, True, 6.9)], "alert", "a 6.9 days"),
        ([("a", True, True, -2.0)], "alert", "a -2 days"),
        ([("a", True, True, None), ("b", False, False, None)], "alert", "no role b"),
        ([("a", True, True, None), ("b", True, False, None)], "alert", "b may not log in"),
    ],
)
def test_what_is_made_of_roles(judged, roles, verdict, sentence):
    facts = RoleExpiryFacts(tuple(RoleEnd(*role) for role in roles))
    seen = judged("security", "role-expiry", role_expiry=facts).worst
    assert (seen.verdict, sentence in seen.observed) == (verdict, True), seen.observed


def test_what_a_standby_has_not_is_not_green(judged):
    with pytest.raises(ProbeError, match="unlogged"):
        facts = KeyUsageFacts((), ProbeError("a standby has nothing of what is unlogged: public.s"))
        judged("maintenance", "key-exhaustion", key_usage=facts)
