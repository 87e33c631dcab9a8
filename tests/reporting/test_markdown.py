"""`--summary FILE`: Markdown that a pull request shows, whatever a target said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cases import ordinary
from markdown_it import MarkdownIt

from opsverify.reporting.digest import Heading
from opsverify.reporting.markdown import escaped, markdown
from opsverify.reporting.results import Result

HEADING = Heading("production", "production", "", "en", datetime(2026, 3, 2, 3, 4, tzinfo=UTC))


def alert(**changes: Any) -> Result:
    values = {"environment": "production", "runbook": "disk-usage", "target": "app1", "severity": "P2"}
    values |= {"verdict": "alert", "observed": "/ 93 %", "expected": "< 80 %", "action": "Make room.", **changes}
    return Result(nodeid="checks/test_resources.py::test_disk_usage[app1]", **values)


def test_an_alert_is_a_row_with_what_to_do() -> None:
    text = markdown([alert()], HEADING, partial=False)
    assert text.splitlines()[0].startswith("### ❌ production, 2026-03-02 03:04")
    assert "0 normal, 0 warned, 1 alert" in text
    assert "| P2 | disk\\-usage\\[app1\\] | observed / 93 %, expected \\< 80 % | Make room. | – |" in text


def test_a_run_that_judged_nothing_or_ended_early_is_not_green() -> None:
    assert "NOTHING WAS JUDGED" in markdown([], HEADING, partial=False)
    assert "### ✅" not in markdown([], HEADING, partial=False)
    assert "PARTIAL" in markdown([alert(verdict="normal")], HEADING, partial=True)


def test_what_a_target_says_stays_text_in_its_own_cell() -> None:
    hostile = "a|b <img src=x> [x](http://evil) @team `c` **d** \n# e"
    text = markdown([alert(sentence=hostile)], HEADING, partial=False)
    html = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert "<img" not in html
    assert "<a " not in html
    assert "<strong>d" not in html
    assert html.count("<td>") + html.count("<td ") == 5
    assert "a|b &lt;img src=x&gt; [x](http://evil) @team `c` **d** # e" in html
    assert escaped("a\nb") == "a b"


def test_a_run_leaves_the_file(run_sample: Any, options: tuple[str, ...]) -> None:
    done = run_sample(ordinary(), "--summary=summary.md", *options)
    text = (done.folder / "summary.md").read_text("utf-8")
    assert text.startswith("### ❌ production \\(slot green\\)")
    assert "Needs a person" in text


def test_one_that_cannot_be_written_is_said(run_sample: Any) -> None:
    done = run_sample(ordinary(), "--summary=missing/summary.md")
    assert "REPORT NOT WRITTEN" in done.output
    assert not Path(done.folder, "missing").exists()
