"""The reports lead with what is new, and say of everything else how long it has been known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opsverify.reporting.change import Change, State
from opsverify.reporting.digest import Heading, concerns, recovered, warnings
from opsverify.reporting.html.page import Contents, Page
from opsverify.reporting.markdown import markdown
from opsverify.reporting.results import Result
from opsverify.reporting.terminal import GREEN, summary_lines
from opsverify.reporting.words import EN, JA, Words

HEADING = Heading("production")
NEW = Change(State.NEW)
WORSE = Change(State.WORSE, "warning")
KNOWN = Change(State.KNOWN, runs=3, days=2)
RECOVERED = Change(State.RECOVERED, "alert", runs=3, days=2)


def result(runbook: str, verdict: str, change: Change | None, severity: str = "P2", target: str = "app1") -> Result:
    figures = {"observed": "93 %", "expected": "< 80 %", "action": "Make room."}
    where: dict[str, Any] = {"environment": "production", "target": target, "target_kind": "hosts"}
    return Result(
        f"t.py::{runbook}[{target}]", runbook, **where, severity=severity, verdict=verdict, **figures, change=change
    )


ALL = [
    result("a-known", "alert", KNOWN),
    result("b-new", "alert", NEW),
    result("c-worse", "alert", WORSE),
    result("d-silent", "undetermined", NEW),
    result("e-first", "alert", KNOWN, "P1"),
    result("f-known", "warning", KNOWN),
    result("g-new", "warning", replace(NEW, flapping=True)),
    result("h-well", "normal", RECOVERED),
    result("i-normal", "normal", None),
]


def lines(results: list[Result]) -> list[str]:
    return [line.text for line in summary_lines(results, partial=False, width=0, heading=HEADING)]


def test_what_is_new_leads_within_each_severity() -> None:
    subjects = ["e-first[app1]", "b-new[app1]", "c-worse[app1]", "d-silent[app1]", "a-known[app1]"]
    assert [c.subject for c in concerns(ALL)] == subjects
    assert [c.subject for c in warnings(ALL)] == ["g-new[app1]", "f-known[app1]"]
    assert [c.subject for c in recovered(ALL)] == ["h-well[app1]"]


def test_the_terminal_marks_it_and_lists_what_recovered() -> None:
    text = lines(ALL)
    assert "P1  since 3 runs, 2 days  e-first[app1]  observed 93 %, expected < 80 %" in text
    assert "P2  new  b-new[app1]  observed 93 %, expected < 80 %" in text
    assert "P2  worse: was warned  c-worse[app1]  observed 93 %, expected < 80 %" in text
    assert any(line.startswith("P2  new  d-silent[app1]  could not be determined") for line in text)
    assert "P2  new, flapping  g-new[app1]  observed 93 %, expected < 80 %" in text
    start = text.index("Recovered")
    assert text[start + 1] == "P2  was alert for 3 runs, 2 days  h-well[app1]"
    assert text.index("Warnings") < start
    (line,) = [line for line in summary_lines(ALL, partial=False, width=0) if "h-well" in line.text]
    assert line.markup == GREEN


def test_where_nothing_is_known_all_is_as_ever() -> None:
    without = [replace(one, change=None) for one in ALL]
    assert not any(word in line for line in lines(without) for word in ("  new", "since", "worse:", "Recovered"))
    assert Words("en").change(concerns(without)[0]) == ""
    assert "Recovered" not in markdown(without, HEADING, partial=False)
    assert "ov-change" not in page(without)


def many(states: dict[State, int], **more: Any) -> list[Result]:
    listed = [state for state, n in states.items() for _ in range(n)]
    changes = [
        Change(state, "warning" if state is State.WORSE else "", runs=n % 5 + 2) for n, state in enumerate(listed)
    ]
    return [
        replace(result("disk-usage", "alert", change, target=f"app{n:03}"), **more)
        for n, change in enumerate(changes, 1)
    ]


@pytest.mark.parametrize(
    ("states", "text"),
    [
        ({State.NEW: 5}, "new"),
        ({State.WORSE: 5}, "worse: was warned"),
        ({State.KNOWN: 5}, "since up to 6 runs"),
        ({State.NEW: 3, State.KNOWN: 1037}, "new on 3 (app001-app003), 1,037 known"),
        ({State.NEW: 1, State.WORSE: 2, State.KNOWN: 4}, "new on 1 (app001), worse on 2 (app002, app003), 4 known"),
    ],
)
def test_many_alike_say_on_which_it_is_new(states: dict[State, int], text: str) -> None:
    (concern,) = concerns(many(states))
    assert Words("en").change(concern) == text
    assert concern.fresh is (State.KNOWN not in states or len(states) > 1)


def test_some_of_many_flap() -> None:
    group = [replace(one, change=replace(KNOWN, flapping=n < 2)) for n, one in enumerate(many({State.KNOWN: 5}))]
    assert Words("en").change(concerns(group)[0]) == "since 3 runs, 2 days, flapping on 2"


def test_one_cause_counts_its_checks() -> None:
    down = "host app1: connection refused"
    checks = [replace(result(f"c{n}", "blocked", NEW if n < 3 else KNOWN), cause=down) for n in range(9)]
    assert lines(checks)[2].startswith(f"P2  new on 3, 6 known  {down}")


def test_many_that_recovered_are_one_entry() -> None:
    group = [result("disk-usage", "normal", replace(RECOVERED, runs=n), target=f"app{n}") for n in range(1, 6)]
    assert lines(group)[2] == "P2  was alert for up to 5 runs, 2 days  disk-usage on all 5 hosts: app1-app5"


def test_one_run_and_one_day() -> None:
    one = result("disk-usage", "normal", Change(State.RECOVERED, "warning", runs=1, days=1))
    assert lines([one])[2] == "P2  was warned for 1 run, 1 day  disk-usage[app1]"


def test_markdown_marks_it_too() -> None:
    text = markdown(ALL, HEADING, partial=False)
    assert "| P2 **new** | b\\-new\\[app1\\] |" in text
    assert "| P2 **worse\\: was warned** | c\\-worse" in text
    assert "| P2 since 3 runs, 2 days | a\\-known" in text
    assert "| | Recovered | Before |\n|---|---|---|\n| P2 | h\\-well\\[app1\\] | was alert for 3 runs, 2 days |" in text


def page(results: list[Result], language: str = "en") -> str:
    top = Page(Contents(Heading("production", language=language), results)).top()
    return top.partition("</style>")[2]


def test_html_marks_it_and_lists_what_recovered() -> None:
    text = page(ALL)
    assert text.index("b-new[app1]") < text.index("a-known[app1]")
    assert '<span class="ov-change ov-fresh">new</span>' in text
    assert '<span class="ov-change">since 3 runs, 2 days</span>' in text
    assert "<h2>Recovered (1)</h2>" in text
    assert '<span class="ov-fresh">2 new</span> <span class="ov-fresh">1 worse</span> <span>2 known</span>' in page(
        [one for one in ALL if one.runbook != "h-well"]
    )
    assert "<td>was alert for 3 runs, 2 days</td>" in text


def test_html_of_many_says_of_each_since_when() -> None:
    text = page(many({State.NEW: 3, State.KNOWN: 4}))
    assert '<span class="ov-change ov-fresh">new on 3 (app001-app003), 4 known</span>' in text
    assert '<th scope="col">Target</th><th scope="col">ID</th><th scope="col">Before</th>' in text
    assert "<td>app001</td><td>t.py::disk-usage[app001]</td><td>new</td>" in text
    assert "<td>app007</td><td>t.py::disk-usage[app007]</td><td>since 3 runs</td>" in text


def test_in_japanese() -> None:
    text = page([*ALL, *many({State.NEW: 3, State.KNOWN: 4})], "ja")
    for words in ("新規", "悪化（前回は注意）", "3 回、2 日間継続", "回復", "新規 3 件（app001-app003）、既知 4 件"):
        assert words in text
    assert "不安定" in text
    assert "<td>異常が 3 回、2 日間継続</td>" in text


def test_every_state_has_words_in_both_languages() -> None:
    for words in (EN, JA):
        assert {state.value for state in State} <= set(words)
