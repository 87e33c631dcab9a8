"""The same finding on many targets is one entry, in which nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.reporting.alike import FEW, alike, causes_alike, common, nameless
from opsverify.reporting.digest import Heading, concerns, warnings
from opsverify.reporting.markdown import markdown
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.terminal import summary_lines

BAND = "< 80 % (alert > 90 %)"


def result(number: int, verdict: str = "alert", runbook: str = "disk-usage", **more: str) -> Result:
    target = f"app{number:03}"
    values = {"environment": "production", "target_kind": "hosts", "severity": "P2", "action": "Make room.", **more}
    return Result(f"t.py::{runbook}[{target}]", runbook, target=target, verdict=verdict, **values)


def full(number: int, percent: int, **more: str) -> Result:
    figures = {"observed": f"/var {percent} %", "expected": BAND, "value": f"{percent}.0", "unit": "%"}
    return result(number, **{**figures, "sentence": f"observed /var {percent} %, expected {BAND}", **more})


def normal(numbers: range) -> list[Result]:
    return [result(n, "normal", observed="/ 12 %", expected=BAND, value="12.0", unit="%") for n in numbers]


def lines(results: list[Result]) -> list[str]:
    return [line.text for line in summary_lines(results, partial=False, width=0, heading=Heading("production"))]


def test_one_finding_on_many_hosts_is_one_entry_with_the_worst_and_the_span() -> None:
    failed = [full(n, 91 + n % 9) for n in [*range(1, 33), 40]]
    assert lines([*failed, *normal(range(41, 1008))])[2:4] == [
        "P2  disk-usage on 33 of 1,000 hosts: app001-app032, app040  "
        f"worst app008: observed /var 99 %, expected {BAND}; 99 % … 91 %",
        "      → Make room.",
    ]


@pytest.mark.parametrize("number", range(1, FEW + 1))
def test_a_few_are_listed_one_by_one(number: int) -> None:
    failed = [full(n, 91) for n in range(number)]
    assert [c.subject for c in concerns(failed)] == [f"disk-usage[app{n:03}]" for n in range(number)]
    assert all(c.spread is None for c in concerns(failed))


def test_where_large_is_good_the_smallest_is_the_worst() -> None:
    days = [full(n, 10 - n, expected="> 30 days (alert < 14 days)", unit="days") for n in range(5)]
    (concern,) = concerns(days)
    assert concern.results[0].value == "6.0"
    assert concern.spread is not None
    assert concern.spread.span == "6 days … 10 days"
    assert concern.name == "disk-usage on all 5 hosts: app000-app004"


def test_where_all_say_the_same_it_is_said_once() -> None:
    (concern,) = concerns([result(n, observed="503", expected="200") for n in range(4)])
    assert concern.told == "observed 503, expected 200"


def test_where_they_say_different_things_without_figures_one_is_an_example() -> None:
    (concern,) = concerns([result(n, observed=f"port {n} closed", expected="open") for n in range(4)])
    assert concern.told == "for example app000: observed port 0 closed, expected open"


Change = Callable[[int], dict[str, Any]]


@pytest.mark.parametrize(
    "different",
    [
        lambda n: {"runbook": f"check-{n % 2}"},
        lambda n: {"severity": f"P{n % 2 + 1}"},
        lambda n: {"verdict": ["alert", "warning"][n % 2]},
        lambda n: {"action": ["Make room.", "Call the vendor."][n % 2]},
        lambda n: {"environment": ["production", "staging"][n % 2]},
        lambda n: {"target_kind": ["hosts", "services"][n % 2]},
        lambda n: {"verdict": "undetermined", "sentence": ["no answer", "no privilege"][n % 2]},
        lambda n: {"verdict": "broken", "sentence": ["KeyError", "ValueError"][n % 2]},
        lambda n: {"verdict": "waived", "sentence": f"waived by {['tanaka', 'sato'][n % 2]} until …: x; observed {n}"},
    ],
)
def test_only_what_is_alike_is_grouped(different: Change) -> None:
    results = [result(n, **{"observed": str(n), **different(n)}) for n in range(10)]
    assert sorted(len(group) for group in alike(results)) == [5, 5]


@pytest.mark.parametrize(
    "same",
    [
        lambda n: {"action": f"Run `ssh monitor@10.0.0.{n} df -h`, then make room on app{n:03}."},
        lambda n: {"verdict": "undetermined", "sentence": f"app{n:03}.internal ([fe80::{n}]:22): no privilege"},
        lambda n: {"verdict": "blocked", "sentence": f"ssh: connect to host 10.0.0.{n} port 22: refused"},
        lambda n: {"verdict": "broken", "sentence": "the check itself broke (KeyError)"},
        lambda n: {"verdict": "waived", "sentence": f"waived by tanaka until 2026: x; observed {n} %, expected 0 %"},
        lambda n: {"verdict": "not applicable", "sentence": "not applicable here: a container"},
        lambda n: {"verdict": "normal", "action": f"Call {n}."},
    ],
)
def test_names_and_addresses_make_no_difference(same: Change) -> None:
    results = [result(n, **{"observed": str(n), **same(n)}) for n in range(10)]
    assert [len(group) for group in alike(results)] == [10]


def test_an_instruction_that_is_filled_in_says_for_whom() -> None:
    (concern,) = concerns([full(n, 95 + n, action=f"Run `ssh app{n:03} df`.") for n in range(4)])
    assert concern.to_do == "Run `ssh app003 df`. (as for app003)"


def test_what_is_no_check_of_a_target_stays_alone() -> None:
    crashes = [Result(f"t.py::{n}", sentence="worker crashed") for n in range(9)]
    assert [len(group) for group in alike(crashes)] == [1] * 9


def test_targets_that_died_of_the_same_are_one_entry() -> None:
    def blocked(n: int, check: str) -> Result:
        cause = f"host app{n:03}: ssh: connect to host app{n:03} port 22: Connection refused"
        return result(n, "blocked", check, sentence=cause, cause=cause)

    dead = [blocked(n, check) for n in range(1, 201) for check in ("disk-usage", "memory-usage")]
    assert lines([*dead, *normal(range(201, 1001))])[2:4] == [
        "P2  ssh: connect to host … port 22: Connection refused on 200 of 1,000 hosts: app001-app200",
        "      → 400 checks could not be determined: disk-usage, memory-usage",
    ]
    few = [one for one in dead if one.target <= f"app{FEW:03}"]
    assert [c.subject for c in concerns(few)] == [f"host {r.target}: {r.cause.partition(': ')[2]}" for r in few[::2]]


def test_causes_of_other_kinds_of_targets_or_other_reasons_are_others() -> None:
    causes = [f"{kind} app{n}: {why}" for kind in ("host", "api") for why in ("refused", "late") for n in range(4)]
    assert [len(group) for group in causes_alike([*causes, "login failed"])] == [4, 4, 4, 4, 1]


def test_warnings_are_told_once_as_well() -> None:
    assert len(warnings([full(n, 85, verdict="warning") for n in range(9)])) == 1


def test_markdown_has_one_row_and_still_shows_text_as_text() -> None:
    text = markdown([full(n, 95, sentence="a|b <img src=x>") for n in range(9)], Heading("x"), partial=False)
    (row,) = [line for line in text.splitlines() if line.startswith("| P2")]
    assert "disk\\-usage on all 9 hosts\\: app000\\-app008" in row
    assert "a\\|b \\<img src=x\\>" in row


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([("db1: no privilege", "db1"), ("db2: no privilege", "db2")], "no privilege"),
        ([("db1 says no", "db1"), ("db2 says no", "db2")], "… says no"),
        ([("main: refused", "main"), ("main: refused", "other")], "main: refused"),
    ],
)
def test_one_sentence_stands_for_all(texts: list[tuple[str, str]], expected: str) -> None:
    assert common(texts) == expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("app1 and app11 and app1.internal", "app1", "… and app11 and ….internal"),
        ("10.1.2.3:5432: refused", "db", "…:5432: refused"),
        ("version 1.2.3.4.5 of [::1]", "db", "version 1.2.3.4.5 of …"),
        ("&lt;app1&gt;", "app1", "&lt;…&gt;"),
        ("unnamed", "", "unnamed"),
    ],
)
def test_what_tells_targets_apart_is_taken_out(text: str, name: str, expected: str) -> None:
    assert nameless(text, name) == expected


ANY = st.builds(
    result,
    st.integers(0, 12),
    st.sampled_from([outcome.value for outcome in Outcome]),
    st.sampled_from(["disk-usage", "memory-usage"]),
    value=st.sampled_from(["", "1.0", "2.5", "nan", "inf", "x"]),
    expected=st.sampled_from(["", BAND, "> 3 days"]),
    sentence=st.sampled_from(["", "app001: a", "b"]),
    cause=st.sampled_from(["", "host app001: a", "host app002: a", "nonsense"]),
)


@given(st.lists(ANY, max_size=60))
def test_every_result_is_in_one_group(results: list[Result]) -> None:
    members = [one for group in alike(results) for one in group]
    assert sorted(map(id, members)) == sorted(map(id, results))
    told = [one for concern in [*concerns(results), *warnings(results)] for one in concern.results]
    wanted = [one for one in results if one.outcome.failed or one.outcome is Outcome.WARNING]
    assert sorted(map(id, told)) == sorted(map(id, wanted))
