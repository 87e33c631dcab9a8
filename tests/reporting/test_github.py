"""Under GitHub Actions: what is obeyed is ours alone, whatever a target says; and nothing of it anywhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cases
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsverify.reporting.digest import concerns
from opsverify.reporting.github import MOST_ANNOTATIONS, annotated, command, shortened
from opsverify.reporting.results import Result
from opsverify.reporting.text import printable

Command = tuple[str, dict[str, str], str]
SAID = "::set-output name=x::y\n::error::evil\n ##[error]evil ##vso[task.setvariable variable=a]b\r::add-mask::e"


def unescaped(text: str, *, of_property: bool = False) -> str:
    for token, character in (("%3A", ":"), ("%2C", ",")) if of_property else ():
        text = text.replace(token, character)
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def obeyed(output: str) -> Iterator[Command]:
    """What the runner makes of a step's output: ActionCommand.TryParseV2 and TryParse, and ActionCommandManager."""
    token = ""
    for line in re.split(r"\r\n|\r|\n", output):
        new = re.match(r"\s*::([^\s:]+)(?: (.*?))?::(.*)", line)
        old = re.search(r"##\[([^\s;\]]+)(?: ([^\]]*))?\](.*)", line)
        if token:
            token = "" if new and new[1] == token else token
            continue
        found = new or old
        if found and found[1] == "stop-commands":
            token = found[3]
        elif found:
            pairs = (pair.partition("=") for pair in (found[2] or "").split(","))
            properties = {key.strip(): unescaped(value, of_property=True) for key, _, value in pairs if value}
            yield found[1], properties, unescaped(found[3])


def under_actions(run_sample: Any, listed: list[dict[str, Any]], *options: str, **more: str) -> Any:
    return run_sample(listed, *options, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY="step.md", **more)


def test_findings_are_annotations_and_the_job_has_a_summary(run_sample: Any, options: tuple[str, ...]) -> None:
    done = under_actions(run_sample, cases.ordinary(), *options)
    found = list(obeyed(done.output))
    assert [name for name, _, _ in found] == ["error"] * 6 + ["warning"] * 2
    name, properties, message = found[0]
    assert properties["title"] == "P1 api-health[blue]"
    assert properties["file"] == "test_sample.py"
    source = (done.folder / "test_sample.py").read_text("utf-8").splitlines()
    assert source[int(properties["line"]) - 1].startswith("def test_case")
    assert message.startswith("observed 503, database: error, expected 200, status ok → Restart mycats-backend")
    assert message.endswith("(respond by 2026-03-02 13:04 UTC+09:00)")
    assert (done.folder / "step.md").read_text("utf-8").startswith("### ❌ production")
    assert done.code == 1


@pytest.mark.parametrize("more", [{}, {"FORCE_COLOR": "1", "COLUMNS": "40"}], ids=["plain", "coloured"])
def test_nothing_that_a_target_says_is_obeyed(run_sample: Any, options: tuple[str, ...], more: dict[str, str]) -> None:
    texts = dict.fromkeys(("observed", "expected", "sentence", "action", "title"), SAID)
    listed = [cases.case(f"nasty-{verdict}", verdict, **texts) for verdict in ("alert", "warning", "broken", "blocked")]
    extra = f"def test_broken():\n    print({SAID!r})\n    assert 1 == 2, {SAID!r}\n"
    done = under_actions(run_sample, listed, "-v", "--tb=long", "-s", *options, extra=extra, **more)
    assert re.search(r"^\s*::(set-output|error::evil|add-mask)", done.output, re.MULTILINE), "it was said, at least"
    for name, properties, message in obeyed(done.output):
        assert (name, set(properties) - {"file", "line", "title"}) in (("error", set()), ("warning", set()))
        assert properties.get("title", "").startswith(("P2 ", "-- ")), message


def test_nothing_of_it_elsewhere(run_sample: Any) -> None:
    done = run_sample(cases.ordinary(), GITHUB_STEP_SUMMARY="step.md")
    assert "::" not in re.sub(r"\w::\w", "", done.output)
    assert not (done.folder / "step.md").exists()
    listing = under_actions(run_sample, cases.ordinary(), "--collect-only")
    assert not (listing.folder / "step.md").exists()


def test_a_summary_that_cannot_be_written_is_told_and_the_file_of_others_stays(run_sample: Any) -> None:
    done = run_sample(cases.healthy(), GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY="/dev/full")
    assert "REPORT NOT WRITTEN: /dev/full" in done.output
    assert done.code == 1


def test_what_other_commands_of_the_step_wrote_stays(run_sample: Any, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("### Deployed\n")
    run_sample(cases.healthy(), GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert summary.read_text("utf-8").startswith("### Deployed\n### ✅ production")


def failing(n: int) -> Result:
    return Result(f"x::{n}", f"check-{n:02}", "production", "app1", verdict="alert", observed="1", expected="0")


@pytest.mark.parametrize(("number", "left"), [(0, 0), (10, 0), (11, 2), (500, 491)])
def test_more_than_the_runner_shows_are_counted(number: int, left: int) -> None:
    lines = list(annotated("error", concerns(failing(n) for n in range(number)), Path("/root")))
    assert len(lines) == min(number, MOST_ANNOTATIONS)
    assert not left or lines[-1] == f"::error::and {left} more, which the report has"


def test_a_file_is_named_from_the_top_of_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    found = concerns([replace(failing(1), file="checks/test_x.py", line=7)])
    monkeypatch.setenv("GITHUB_WORKSPACE", "/work")
    assert ",file=operations/checks/test_x.py,line=7::" in next(annotated("error", found, Path("/work/operations")))
    monkeypatch.setenv("GITHUB_WORKSPACE", "/elsewhere")
    assert ",file=checks/test_x.py,line=7::" in next(annotated("error", found, Path("/work/operations")))


@given(st.text(), st.text())
def test_a_command_is_one_line_that_says_what_was_meant(message: str, title: str) -> None:
    line = command("error", message, title=title)
    assert "\n" not in line
    assert "\r" not in line
    (only,) = obeyed(line)
    assert only == ("error", {"title": printable(title, 200)} if printable(title, 200) else {}, message)


@given(st.text(max_size=300), st.integers(min_value=-5, max_value=400))
def test_a_summary_is_cut_at_a_line_within_its_limit(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short.encode()) <= max(limit, 0)
    assert short == text or not short or short.endswith("the report has all of it\n")


@given(st.text())
def test_no_log_of_ours_commands_another_ci_server(text: str) -> None:
    said = printable(f"{text}##vso[task.x]{text}##[error]{text}##teamcity[{text}")
    assert not re.search(r"##\w*\[", said)
    assert printable(said) == said


def test_the_tests_of_the_suite_are_none_of_its_runs() -> None:
    assert "GITHUB_ACTIONS" not in os.environ
