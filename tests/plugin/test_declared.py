"""Checks that an item declares: judged as a function of their own would."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from pathlib import Path

import pytest
from pydantic import ValidationError

from opsverify.config.bands import Verdict
from opsverify.config.items import Figure, Item
from opsverify.errors import ProbeError
from opsverify.judgements.expect import Expect
from opsverify.plugin.declared import functions, judge

ITEM = {
    "id": "key-exhaustion",
    "title": {"en": "Keys are left", "ja": "キーに余裕がある"},
    "action": {"en": "Widen the column.", "ja": "列の型を広げる。"},
    "source": ["WEEK"],
    "schedule": ["weekly"],
    "severity": "P2",
    "band": {"below": 75, "alert_above": 90, "unit": "%"},
}


@dataclass(frozen=True)
class Key:
    name: str
    used_percent: float
    told: str = "21 of 28"


def expect() -> Expect:
    return Expect(Item.model_validate(ITEM))


def test_each_of_several_is_judged_and_the_worst_decides() -> None:
    judged = expect()
    figure = Figure(fact="keys", figure="used_percent", each="name", detail="told")
    judge(figure, (Key("cats.id", 10), Key("litters.id", 91)), judged)
    assert [finding.verdict for finding in judged.findings] == [Verdict.NORMAL, Verdict.ALERT]
    assert judged.findings[1].observed == "litters.id 91 % (21 of 28)"


def test_a_single_figure_needs_no_name() -> None:
    judged = expect()
    judge(Figure(fact="key", figure="used_percent"), Key("cats.id", 80), judged)
    assert [(finding.verdict, finding.observed) for finding in judged.findings] == [(Verdict.WARNING, "80 %")]


def test_no_figure_is_no_pass() -> None:
    judged = expect()
    judge(Figure(fact="keys", figure="used_percent", each="name"), (), judged)
    assert judged.findings == []  # which the plugin makes an error: nothing was judged
    with pytest.raises(ProbeError, match="litters.id"):
        judge(Figure(fact="keys", figure="used_percent", each="name"), (Key("litters.id", float("nan")),), judged)


def test_a_declared_check_is_a_test_with_its_facts_as_arguments(tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    body = {key: value for key, value in ITEM.items() if key != "id"}
    path.write_text(f"key-exhaustion: {body | {'judge': {'fact': 'keys', 'figure': 'used_percent'}}}")
    made = functions(path)
    assert list(made) == ["test_key_exhaustion"]
    assert list(signature(made["test_key_exhaustion"]).parameters) == ["keys", "expect"]
    assert made["test_key_exhaustion"].__doc__ == "Keys are left"


def test_a_figure_without_a_band_is_refused() -> None:
    with pytest.raises(ValidationError, match="judge needs a band"):
        Item.model_validate({**ITEM, "band": None, "judge": {"fact": "keys", "figure": "used_percent"}})
