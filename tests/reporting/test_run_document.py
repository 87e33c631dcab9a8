"""`--json FILE`: every run is what the published schema says, and every field of the schema is described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cases
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from opsverify.generate import run_schema
from opsverify.reporting.change import Change, State
from opsverify.reporting.digest import Heading
from opsverify.reporting.finished import FinishedRun
from opsverify.reporting.results import Outcome, Result
from opsverify.reporting.run_document import document

PUBLISHED = Path(__file__).parents[2] / "opsverify" / "reporting" / "run.schema.json"


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object with fields that a schema describes."""
    if isinstance(node, dict):
        if "properties" in node:
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def valid(path: Path) -> dict[str, Any]:
    """The document, held against the schema; fields that the schema does not know are a mistake here."""
    schema = json.loads(PUBLISHED.read_text("utf-8"))
    for one in objects(schema):
        one["additionalProperties"] = False
    document: dict[str, Any] = json.loads(path.read_text("utf-8"), parse_constant=pytest.fail)
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(document)
    return document


def of(document: dict[str, Any], check: str) -> dict[str, Any]:
    (result,) = (one for one in document["results"] if one["check"] == check)
    return result


def test_the_published_schema_is_current_and_describes_every_field() -> None:
    assert PUBLISHED.read_text("utf-8") == run_schema(), "run python -m opsverify.generate"
    schema = json.loads(PUBLISHED.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    described = list(objects(schema))
    assert len(described) >= 6
    for one in described:
        assert set(one["required"]) == set(one["properties"])
        undescribed = [name for name, field in one["properties"].items() if len(field.get("description", "")) < 4]
        assert undescribed == []


def test_a_run_with_something_of_everything(run_sample: Any, options: tuple[str, ...]) -> None:
    done = run_sample(cases.ordinary(), "--json=run.json", *options)
    document = valid(done.folder / "run.json")
    assert (document["format_version"], document["environments"], document["slot"]) == (1, ["production"], "green")
    assert document["complete"]
    assert document["exit_code"] == done.code == 1
    started, ended = (datetime.fromisoformat(document[name]) for name in ("started", "ended"))
    assert started == datetime(2026, 3, 2, 3, 4, tzinfo=UTC)
    assert (ended - started).total_seconds() == pytest.approx(document["seconds"], abs=0.001)
    assert document["counts"]["total"] == len(document["results"]) == len(cases.ordinary())
    assert document["counts"]["by_verdict"] == {
        "normal": 3, "warning": 2, "alert": 3, "undetermined": 1, "blocked": 5, "broken": 1, "waived": 1,
        "not applicable": 1,
    }  # fmt: skip
    assert {one["verdict"] for one in document["results"]} == {outcome.value for outcome in Outcome}
    disk = of(document, "disk-usage")
    assert (disk["value"], disk["unit"], disk["target"], disk["failed"]) == (84.0, "%", "db1", False)
    assert (disk["file"], disk["schedule"]) == ("test_sample.py", ["smoke", "daily"])
    assert (done.folder / disk["file"]).read_text("utf-8").splitlines()[disk["line"] - 1].startswith("def test_case")
    assert of(document, "api-health")["respond_by"] == "2026-03-02T13:04:00+09:00"
    assert of(document, "service-active")["cause"] == "host app1: connection refused"
    assert of(document, "certificate-trust")["sentence"].startswith("waived by tanaka")
    assert of(document, "retired-slot-stopped")["target"] is None


def test_a_healthy_run(run_sample: Any, options: tuple[str, ...]) -> None:
    done = run_sample(cases.healthy(), "--json=run.json", *options)
    document = valid(done.folder / "run.json")
    assert document["exit_code"] == done.code == 0
    assert not any(one["failed"] for one in document["results"])


def test_whatever_a_target_says_stays_text(run_sample: Any, options: tuple[str, ...]) -> None:
    done = run_sample(cases.hostile(half_characters=not options), "--json=run.json", *options)
    text = (done.folder / "run.json").read_text("utf-8")
    assert len(valid(done.folder / "run.json")["results"]) == len(cases.hostile())
    assert not {character for character in "\x00\x07\x1b\u202e\ud800" if character in text}


def test_an_interrupted_run_says_that_checks_are_missing(run_sample: Any) -> None:
    interrupted = [cases.case("a", "normal"), cases.case("slow", "normal", do="interrupt"), cases.case("z", "normal")]
    document = valid(run_sample(interrupted, "--json=run.json").folder / "run.json")
    assert (document["exit_code"], document["complete"]) == (2, False)
    assert "interrupted" in document["incomplete_reason"]
    assert of(document, "slow")["verdict"] == "undetermined"


def test_what_is_no_check_is_there_too(run_sample: Any, options: tuple[str, ...]) -> None:
    done = run_sample([cases.case("a", "normal")], "--json=run.json", *options, extra="import nowhere_to_be_found")
    (missing,) = (one for one in valid(done.folder / "run.json")["results"] if one["check"] is None)
    assert (missing["file"], missing["verdict"], missing["severity"]) == ("test_extra.py", "broken", None)
    dying = [cases.case("a", "normal"), cases.case("deadly", "normal", "P1", do="die")]
    document = valid(run_sample(dying, "-n2", "--json=run.json").folder / "run.json")
    assert of(document, "deadly")["verdict"] == "broken"


def test_what_is_new_and_since_when() -> None:
    change = Change(State.KNOWN, runs=3, days=2, since="2026-11-28T03:00:00+00:00")
    known = Result("t.py::a", "disk-usage", "production", "app1", verdict="alert", change=change)
    run = FinishedRun(Heading("production"), [known, replace(known, change=None)], 1, 2.0)
    first, second = document(run).results
    assert (first.state, first.since) == (State.KNOWN, datetime(2026, 11, 28, 3, tzinfo=UTC))
    assert (second.state, second.since) == (None, None)
