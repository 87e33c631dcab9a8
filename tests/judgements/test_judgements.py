"""The pure judgements that several checks share: migrations, signs of life, traffic, trends, logs,
exposure, HSTS."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.config.bands import Verdict
from opsverify.config.environment import Release, Service
from opsverify.config.items import Item
from opsverify.errors import ProbeError, Unreachable
from opsverify.evidence.age import ALLOWANCE, age
from opsverify.evidence.attempt import Attempt
from opsverify.judgements.expect import Expect, Finding
from opsverify.judgements.exposure import everywhere, public_addresses
from opsverify.judgements.forecast import FAR, Trend, _confidence, trend
from opsverify.judgements.migrations import applied, differences
from opsverify.judgements.signs_of_life import Sign, leftovers, signs_of_life
from opsverify.judgements.traffic import precision_seconds, seen_slots
from opsverify.judgements.transport_security import frame_ancestors, framed_by_anyone, max_age
from opsverify.judgements.windows import readable, within
from opsverify.probes.host.logs.window import Window
from opsverify.probes.host.release.migrations import Migration as OfCheckout
from opsverify.probes.host.release.migrations import MigrationListing
from opsverify.probes.host.system.service_listens import Listening
from opsverify.probes.host.system.services import ProcessStatus, ServiceInstance, ServiceStatus
from opsverify.probes.host.system.stopped import NodeProcess
from opsverify.probes.postgres.applied_migrations import AppliedMigrationsFacts, Migration
from opsverify.probes.tcp.port import PortState

NOW = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
UNIT = ServiceInstance(
    "mycats-backend.service", "loaded", "inactive", "dead", "enabled", "success", "simple", None, 0, None, ""
)
CLOSED = Listening(3004, False, (), None, None, None, ())
OPEN = Listening(3004, True, ("127.0.0.1", "::"), 77, "node", None, ())
REFUSED = PortState("refused", "app1:3004: connection refused")


def signs(status: ServiceStatus, port: Listening = CLOSED, connection: PortState = REFUSED) -> dict[str, Any]:
    return {"status": status, "port": port, "connection": connection}


def gone(result: dict[str, Any]) -> list[bool]:
    return [sign.gone for sign in signs_of_life(result)]


# --- migrations ------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c"])
SUM, OTHER = (hashlib.sha256(text).hexdigest() for text in (b"", b"x"))
SUMS = st.sampled_from([SUM, OTHER])


def row(name: str, checksum: str = SUM, *, finished: bool = True, rolled_back: bool = False) -> Migration:
    return Migration(name, checksum, NOW, NOW if finished else None, NOW if rolled_back else None, 1, not finished)


@given(files=st.dictionaries(NAMES, SUMS), rows=st.dictionaries(NAMES, SUMS))
def test_checkout_and_database_agree_only_when_they_are_equal(files, rows):
    here = MigrationListing("/srv", True, "f", tuple(OfCheckout(name, (one,)) for name, one in files.items()))
    there = AppliedMigrationsFacts(True, "public", tuple(row(*pair) for pair in rows.items()))
    assert (not any(differences(here, there).values())) == (files == rows)


def test_migration_applied_again_after_it_was_rolled_back_is_settled():
    there = AppliedMigrationsFacts(True, "public", (row("a", finished=False, rolled_back=True), row("a")))
    here = MigrationListing("/srv", True, "f", (OfCheckout("a", (SUM,)),))
    assert not any(differences(here, there).values())
    assert applied(there) == {"a": SUM}


def test_every_fault_of_a_migration_has_its_own_name():
    rows = (row("whole"), row("edited", OTHER), row("gone"), row("failed", finished=False),
            row("back", finished=True, rolled_back=True))  # fmt: skip
    files = [OfCheckout(name, (SUM,)) for name in ("whole", "edited", "new", "failed", "back")]
    here = MigrationListing("/srv", True, "f", tuple(files), without_sql=("empty",))
    assert differences(here, AppliedMigrationsFacts(True, "public", rows)) == {
        "failed": ["failed"],
        "rolled back": ["back"],
        "not applied": ["new"],
        "applied but not in the checkout": ["gone"],
        "edited after it was applied": ["edited"],
        "without migration.sql": ["empty"],
    }


# Prisma's own vectors, of checksum.rs in prisma-engines, and of files that end without a line end.
UNIX, WINDOWS = "ab\ncd\nef\ngh\rab", "ab\r\ncd\r\nef\r\ngh\rab"


def sums(text: str) -> tuple[str, ...]:
    texts = (text, text.replace("\r\n", "\n"), text.replace("\n", "\r\n"))
    return tuple(hashlib.sha256(one.encode()).hexdigest() for one in texts)


@pytest.mark.parametrize("end", [("", ""), ("\n", "\r\n")])
def test_line_ends_are_no_edit(end):
    texts = [text + its_end for text, its_end in zip((UNIX, WINDOWS), end, strict=True)]
    assert all(OfCheckout("a", sums(one)).fits(sums(other)[0]) for one in texts for other in texts)
    assert not OfCheckout("a", sums(UNIX)).fits(sums(UNIX + "\n")[0])


def test_old_checksums_lack_zeros():
    """prisma-engines#1887: "0a1b" was written as "a1b"."""
    text = next(text for text in map(str, range(99)) if "0" in sums(text)[0][::2])
    checksum = sums(text)[0]
    old = "".join(f"{byte:x}" for byte in bytes.fromhex(checksum))
    assert len(old) < 64
    assert OfCheckout("a", sums(text)).fits(old)
    assert not OfCheckout("a", sums(text + "x")).fits(old)
    assert not OfCheckout("a", sums(text)).fits("")


# --- signs of life ---------------------------------------------------------------------------------------------------------


def test_stopped_unit_is_gone_and_a_running_one_is_not():
    status = ServiceStatus("mycats-backend.service", True, False, UNIT)
    assert gone(signs(status)) == [True, True, True]
    assert gone(signs(status, connection=PortState("open", "app1:3004 accepts connections"))) == [True, True, False]
    for state in ("active", "activating", "deactivating", "reloading"):
        assert not gone(signs(replace(status, main=replace(UNIT, active_state=state))))[0]


def test_debian_s_wrapper_is_down_only_when_its_clusters_are():
    wrapper = replace(UNIT, unit="postgresql.service")
    cluster = replace(UNIT, unit="postgresql@15-main.service", active_state="active")
    status = ServiceStatus("postgresql.service", True, False, wrapper, (cluster,))
    service, *_ = signs_of_life(signs(status))
    assert not service.gone
    assert service.observed == "postgresql.service inactive, postgresql@15-main.service active"


def test_no_answer_proves_nothing_and_an_open_port_on_the_host_proves_the_opposite():
    status = ServiceStatus("mycats-backend.service", True, False, UNIT)
    silent = PortState("unknown", "app9:3004: its name could not be resolved")
    _, port, connection = signs_of_life(signs(status, OPEN, silent))
    assert not port.gone
    assert "held by node (process 77)" in port.observed
    assert connection.observed.endswith("its name could not be resolved, which proves nothing")


def test_unit_that_does_not_exist_is_not_known_to_be_stopped():
    missing = ServiceStatus("typo.service", False, False, replace(UNIT, load_state="not-found"))
    with pytest.raises(ProbeError, match="there is no such unit"):
        signs_of_life(signs(missing))


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
    result = [node, page, root, unseen, unseen_page, *strangers]
    assert leftovers(result, backend, releases) == ([node, root], [unseen])
    assert leftovers([unseen_page, node], backend, releases) == ([node], [])
    assert leftovers(result, frontend, releases) == ([page, root], [unseen, unseen_page])


def test_leftovers_are_told_by_what_they_run_too():
    backend = Service(host="app", role="backend", slot="blue", unit="x")
    frontend = backend.model_copy(update={"role": "frontend"})
    releases = [
        Release(host="app", slot="blue", path="/srv/mycats/current", database="d"),
        Release(host="app", slot="green", path="/srv/green", database="d"),
    ]
    script = "/srv/mycats/current/backend/dist/main.js"
    by_script = NodeProcess(1, "node", f"node {script}", "/", (script,))
    unseen = NodeProcess(2, "node", f"node {script}", None, (script,))
    green = NodeProcess(3, "node", "node /srv/green/x", None, ("/srv/green/x",))
    result = [by_script, unseen, green]
    assert leftovers(result, backend, releases) == ([by_script, unseen], [])
    assert leftovers(result, frontend, releases) == ([], [])
    assert by_script.where == unseen.where == f"runs {script}"


def process(**more: Any) -> ServiceStatus:
    return ServiceStatus("/run/app.pid", True, more["alive"], process=ProcessStatus(7, **more))


@pytest.mark.parametrize(
    ("status", "sign"),
    [
        (ServiceStatus("a.service", True, False, UNIT), Sign(True, "mycats-backend.service inactive", "inactive")),
        (ServiceStatus("/run/app.pid", False, False), Sign(True, "no pid file /run/app.pid", "no process")),
        (process(alive=True, stale=False), Sign(False, "process 7 of /run/app.pid alive", "no process")),
        (process(alive=False, stale=False), Sign(True, "process 7 of /run/app.pid gone", "no process")),
        (process(alive=False, stale=True), Sign(True, "process 7 of /run/app.pid a stale pid file", "no process")),
    ],
)
def test_what_is_seen_of_a_service(status, sign):
    assert signs_of_life(signs(status))[0] == sign


def test_cluster_whose_unit_is_not_there_is_none():
    names, unknown = replace(UNIT, unit="p.service"), replace(UNIT, unit="p@15.service", load_state="not-found")
    status = ServiceStatus("p.service", True, False, names, (replace(unknown, active_state="active"),))
    assert signs_of_life(signs(status))[0] == Sign(True, "p.service inactive", "inactive")


def test_what_is_seen_of_a_port_and_from_here():
    status = ServiceStatus("a.service", True, False, UNIT)
    _, *seen = signs_of_life(signs(status))
    assert seen == [
        Sign(True, "port 3004 closed on the host", "closed"),
        Sign(True, "from here app1:3004: connection refused", "no connection"),
    ]
    _, mine, _ = signs_of_life(signs(status, OPEN))
    _, other, connection = signs_of_life(
        signs(status, replace(OPEN, owner_pid=None), PortState("open", "app1:3004 accepts"))
    )
    output = "port 3004 open on the host (127.0.0.1, ::), held by"
    assert mine == Sign(False, f"{output} node (process 77)", "closed")
    assert other == Sign(False, f"{output} a process that may not be seen", "closed")
    assert connection == Sign(False, "from here app1:3004 accepts", "no connection")


# --- traffic ---------------------------------------------------------------------------------------------------------


def answer(*boots: datetime | None, uptime: float = 17.25) -> Any:
    return SimpleNamespace(boots=boots, uptime_seconds=uptime)


@given(seconds=st.floats(-3600, 3600), tolerance=st.floats(0, 60))
def test_a_process_is_known_by_when_it_started(seconds, tolerance):
    at = NOW + timedelta(seconds=seconds)
    result = seen_slots([("blue", Attempt(answer(NOW))), ("green", Attempt(error=Unreachable("connection refused")))])
    assert result.silent == ("slot green: connection refused",)
    fits = abs((at - NOW).total_seconds()) <= tolerance
    assert result.running_since(at, answer(), tolerance) == (["blue"] if fits else [])


def test_slot_of_several_processes_is_known_by_any_of_them():
    later = NOW + timedelta(seconds=9)
    result = seen_slots(
        [("blue", Attempt(answer(None))), ("blue", Attempt(answer(NOW, later))), ("green", Attempt(answer(later)))]
    )
    assert result.silent == ()
    assert result.of_several(0.1) == ["blue"]
    assert result.of_several(9) == []
    whole_seconds = seen_slots([("blue", Attempt(answer(NOW, NOW + timedelta(seconds=1.05), uptime=17.0)))])
    assert whole_seconds.of_several(0.1) == []
    assert whole_seconds.of_several(0.01) == ["blue"]
    assert result.running_since(NOW, answer(), 0.1) == ["blue"]
    assert result.running_since(later, answer(), 0.1) == ["blue", "green"]
    assert result.running_since(None, answer(), 0.1) == []
    assert result.running_since(NOW + timedelta(seconds=0.9), answer(uptime=17.0), 0.1) == ["blue"]


def test_uptime_in_whole_seconds_tells_the_start_to_a_second():
    assert precision_seconds(SimpleNamespace(uptime_seconds=17.0)) == 1.0  # type: ignore[arg-type]
    assert precision_seconds(SimpleNamespace(uptime_seconds=17.25)) == 0.0  # type: ignore[arg-type]
    assert precision_seconds(SimpleNamespace(uptime_seconds=None)) == 0.0  # type: ignore[arg-type]


def test_api_that_does_not_say_when_it_started():
    assert seen_slots([("blue", Attempt(answer(None)))]).silent == ("slot blue: its API does not say when it started",)


# --- trends ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("per_day", "limit", "now", "days"),
    [
        (2, 90, 50, 20),
        (0.5, 90, 50, 80),
        (0.2, 90, 50, 200),
        (0.1, 90, 50, FAR),
        (0, 90, 50, FAR),
        (-1, 90, 90, 0),
        (-1, 90, 91, 0),
        (-1, 90, 50, FAR),
    ],
)
def test_days_until_a_limit(per_day, limit, now, days):
    assert Trend(per_day, 10, per_day, per_day).days_until(limit, now) == pytest.approx(days)


def noisy(days: int, noise: float) -> list[tuple[datetime, float]]:
    return [(NOW + timedelta(days=n), 10.0 + n + noise * math.sin(n * n)) for n in range(days)]


def test_confidence_of_a_trend():
    straight, shaky, short = trend(noisy(20, 0), 7), trend(noisy(20, 3), 7), trend(noisy(4, 3), 3)
    assert straight is not None
    assert shaky is not None
    assert short is not None
    assert straight.span_until(90, 30) == pytest.approx((60, 60))
    assert shaky.slowest < 1 < shaky.fastest
    earliest, latest = shaky.span_until(90, 30)
    assert 40 < earliest < 60 < latest < 90
    assert short.span_until(90, 30) == (0, FAR)  # four days say nothing


@pytest.mark.parametrize(("n", "low", "high"), [(5, -math.inf, math.inf), (6, 2, 14), (10, 11, 35)])
def test_ranks_of_the_confidence_as_by_hand(n, low, high):
    # Half of the n (n - 1) / 2 slopes 1, 2, 3 …, less and more 0.98 times the roots of 16.7, 28.3 and 125: outwards.
    told = _confidence([float(rank) for rank in range(1, n * (n - 1) // 2 + 1)], n)
    assert told == (low, high)


def test_shortest_series_that_tells_a_trend():
    days = [(NOW + timedelta(days=n), 10.0 + n) for n in range(4)]
    result = trend(days, 3)
    assert result is not None
    assert (result.per_day, result.days) == (pytest.approx(1, rel=1e-9), pytest.approx(3, rel=1e-9))
    assert trend(days, 3.001) is None
    assert trend(days[:3], 1) is None
    assert trend([], 0) is None


# --- logs and limits that are settings -------------------------------------------------------------------------------


def expecting() -> Expect:
    text = {"en": "Quiet logs", "ja": "静かなログ"}
    item = Item(id="logs", title=text, action=text, source=["MON"], schedule=["daily"], severity="P2")  # type: ignore[arg-type]
    return Expect(item)


WINDOW = Window("error.log", 24, True, NOW - timedelta(hours=24), NOW, lines=3)


@pytest.mark.parametrize(
    ("window", "is_readable", "findings"),
    [
        (WINDOW, True, [Finding(Verdict.NORMAL, "error.log: the last 24 h", "error.log"),
                        Finding(Verdict.NORMAL, "error.log: the last 24 h", "the last 24 h")]),
        (replace(WINDOW, exists=False), False, [Finding(Verdict.ALERT, "no error.log", "error.log")]),
        (replace(WINDOW, lines=0), False, [
            Finding(Verdict.NORMAL, "error.log: the last 24 h", "error.log"),
            Finding(Verdict.WARNING, "error.log: not one entry in the last 24 h", "a log that is written")]),
        (replace(WINDOW, bounded=True, first=NOW - timedelta(hours=3)), True, [
            Finding(Verdict.NORMAL, "error.log: the last 3.0 h of 24 h (more than may be read)", "error.log"),
            Finding(Verdict.WARNING, "error.log: the last 3.0 h of 24 h (more than may be read)", "the last 24 h")]),
    ],
)  # fmt: skip
def test_log_is_held_against_its_window(window, is_readable, findings):
    expect = expecting()
    assert readable(window, expect) is is_readable
    assert expect.findings == findings


def test_silence_of_a_log_is_as_bad_as_its_check_says():
    expect = expecting()
    assert not readable(replace(WINDOW, lines=0), expect, Verdict.ALERT)
    assert expect.worst.verdict is Verdict.ALERT


@pytest.mark.parametrize(("value", "verdict"), [(4, Verdict.NORMAL), (5, Verdict.WARNING), (11, Verdict.ALERT)])
def test_limits_that_are_a_setting(value, verdict):
    expect = expecting()
    within({"below": 5, "alert_above": 10}, value, f"{value} calls", expect, "calls")
    assert expect.findings == [Finding(verdict, f"{value} calls", "< 5 calls (alert > 10 calls)")]
    within({"below": 5, "alert_above": 10}, value, "x", expect)
    assert expect.findings[-1].expected == "< 5 (alert > 10)"


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
        ("max-age=31536000;includeSubDomains", 31536000),
        ("max-age=1; max-age", None),
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
    result = max_age(header)
    assert result is None or result >= 0


# --- frame-ancestors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "policies", "anyone"),
    [
        ("default-src 'self'; frame-ancestors 'none'", [()], False),
        ("Frame-Ancestors 'SELF' https://a.example", [("'SELF'", "https://a.example")], False),
        ("frame-ancestors *", [("*",)], True),
        ("frame-ancestors 'self' https:", [("'self'", "https:")], True),
        ("frame-ancestors HTTPS:", [("HTTPS:",)], True),
        ("frame-ancestors http://*:*", [("http://*:*",)], True),
        ("frame-ancestors https://*.example.com", [("https://*.example.com",)], False),
        ("frame-ancestors 'self'; frame-ancestors *", [("'self'",)], False),
        ("frame-ancestors *, frame-ancestors 'self'", [("*",), ("'self'",)], False),
        ("frame-ancestors", [()], False),
        ("default-src 'none'; x-frame-ancestors 'none'", [], None),
        (None, [], None),
    ],
)
def test_who_may_frame_the_page(header, policies, anyone):
    assert frame_ancestors(header) == policies
    assert not policies or framed_by_anyone(policies) is anyone


@given(st.text())
def test_any_policy_is_read(header):
    assert framed_by_anyone(frame_ancestors(header)) in (True, False)


# --- ages ------------------------------------------------------------------------------------------------------------


@given(st.timedeltas(min_value=timedelta(days=-3650), max_value=timedelta(days=3650)))
def test_an_age_is_never_below_none_and_the_future_is_no_age(ahead):
    if ahead > ALLOWANCE:
        with pytest.raises(ProbeError, match=r"^db.sql lies [0-9,.]+ h in the future \(20.* UTC\): is a clock wrong"):
            age(NOW, NOW + ahead, "db.sql")
    else:
        assert age(NOW, NOW + ahead) == max(-ahead, timedelta(0))


def test_how_far_ahead_a_time_may_be():
    assert age(NOW, NOW + ALLOWANCE) == timedelta(0)
    with pytest.raises(ProbeError, match=r"^its time lies 2\.0 h in the future"):
        age(NOW, NOW + timedelta(hours=2))
