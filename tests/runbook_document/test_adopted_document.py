"""The document that operators can adopt: it satisfies the checks of documents, and its figures are those enforced."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from opsverify.config.environment import BandOverride, CheckOverride
from opsverify.config.loading import load_items
from opsverify.evidence.deadline import Deadline
from opsverify.runbook_document.commands import hold, read
from opsverify.runbook_document.drift import compare
from opsverify.runbook_document.figures import PARTS, with_figures
from opsverify.runbook_document.lint import installed, lint
from opsverify.runbook_document.reading import read as read_figures
from opsverify.runbook_document.review import last_updated
from opsverify.runbook_document.statements import statements
from tests.runbook_document.conftest import ROOT, production

ITEMS = load_items(ROOT / "checks/runbook.yaml")
DOCUMENTS = {name: (ROOT / f"docs/operations-runbook.{name}.md").read_text(encoding="utf-8") for name in ("en", "ja")}
languages = pytest.mark.parametrize("language", DOCUMENTS)


@languages
def test_its_commands_do_what_they_are_for(language):
    commands = read(DOCUMENTS[language])
    held = hold(commands, production(commands))
    assert [str(finding) for finding in held.findings] == []
    assert held.unknown == ()
    assert commands.not_understood == []
    assert commands.count > 90


@languages
def test_shellcheck_has_nothing_against_it(language):
    if installed() is None:
        pytest.skip("shellcheck is not installed")
    assert lint(DOCUMENTS[language], Deadline(60)) == ()


@languages
def test_its_figures_are_those_enforced(language):
    figures = compare(statements(read_figures(DOCUMENTS[language])), ITEMS, ITEMS["runbook-agrees"].settings)
    assert [figure for figure in figures if not figure.agrees] == []
    assert len(figures) >= 15


@languages
def test_it_was_reviewed(language):
    day = last_updated(read_figures(DOCUMENTS[language]))
    assert day is not None
    assert date(2026, 11, 1) <= day <= (datetime.now(UTC) + timedelta(days=1)).date()


@languages
def test_its_figures_follow_what_is_enforced(language):
    text = DOCUMENTS[language]
    assert with_figures(text, ITEMS, language) == text
    items = {
        **ITEMS,
        "disk-usage": ITEMS["disk-usage"].overridden(CheckOverride(band=BandOverride(below=60, alert_above=75))),
    }
    changed = with_figures(text, items, language)
    assert "< 60% | > 75% |" in changed
    assert len(set(changed.splitlines()) - set(text.splitlines())) == 1


def test_a_part_that_is_missing_is_said():
    text = DOCUMENTS["en"].replace("<!-- retention: generated", "<!-- gone: generated")
    with pytest.raises(ValueError, match="missing: retention"):
        with_figures(text, ITEMS, "en")
    assert set(PARTS) == {"thresholds", "versions", "retention", "backup-script", "response-times"}


def test_both_say_the_same():
    """Every command of one is in the other."""
    english, japanese = (
        [(c.name, *c.texts) for script in read(text).scripts for c in script.commands if c.name != "echo"]
        for text in DOCUMENTS.values()
    )
    assert english == japanese
