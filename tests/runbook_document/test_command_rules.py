"""Each rule finds every command of its "Found" in tests/runbook_document/rules, and nothing in its "Not found"."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from opsverify.runbook_document.commands import hold, read
from opsverify.runbook_document.rules import RULES
from tests.runbook_document.conftest import ROOT, production

DOCUMENTS = Path(__file__).parent / "rules"
TODAY = ROOT / "tests/checks/data/operations-runbook.ja.md"


def halves(rule: str) -> tuple[str, str]:
    """What must be found and what must not, with the lines of the whole document."""
    text = (DOCUMENTS / f"{rule}.md").read_text(encoding="utf-8")
    found, mark, rest = text.partition("# Not found")
    return found, "\n" * found.count("\n") + mark + rest


def lines(text: str, rule: str) -> set[int]:
    commands = read(text)
    assert not commands.not_understood
    held = hold(commands, production(commands), {rule: RULES[rule]})
    assert not held.unknown
    return {finding.line for finding in held.findings}


def test_every_rule_has_its_document():
    assert {path.stem for path in DOCUMENTS.iterdir()} == set(RULES)


PARTS = {"backup-without-error-handling", "database-dropped-before-restore", "old-backups-deleted-anyway", "renamed-in-postgresql"}  # fmt: skip
"""Rules of which one command of a block is at fault."""


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_what_it_is_for(rule):
    text, _ = halves(rule)
    found = lines(text, rule)
    commands = read(text)
    for script in commands.scripts:
        here = {command.line for command in script.commands}
        # Of the commands of a block, those that set the scene need not be found: `cd`, an assignment.
        scene = {command.line for command in script.commands if command.name in ("cd", "echo", "createdb")}
        missed = here - found - scene
        assert not missed or (rule in PARTS and here & found), [script.block.text, sorted(missed)]
    if rule == "renamed-in-postgresql":
        assert len(found) == 3
    assert found


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_nothing_where_all_is_well(rule):
    _, text = halves(rule)
    assert "```" in text
    assert lines(text, rule) == set()


@pytest.mark.parametrize("rule", RULES)
def test_what_a_finding_says(rule):
    text, _ = halves(rule)
    commands = read(text)
    for finding in hold(commands, production(commands), {rule: RULES[rule]}).findings:
        assert text.split("\n")[finding.line - 1].strip().startswith(finding.quote.removesuffix("…"))
        assert finding.why
        assert finding.better
        for said in (finding.why, finding.better):
            assert "{" not in said.replace("${", "").replace("%{", "").replace("[0-9]{2}", ""), said
            assert "\ufffc" not in said
            assert "None" not in said


def test_todays_document():
    """What the operators' document tells people to type, and what of it does not do what it is for."""
    commands = read(TODAY.read_text(encoding="utf-8"))
    held = hold(commands, production(commands))
    assert not held.unknown
    assert Counter(finding.rule for finding in held.findings) == {
        "script-without-fail": 6,
        "script-missing": 5,
        "other-package-manager": 3,
        "pkill-misses-server": 2,
        "archive-over-root": 1,
        "backup-without-error-handling": 1,
        "curl-without-fail": 1,
        "database-dropped-before-restore": 1,
        "errors-not-found": 1,
        "live-build-deleted": 1,
        "old-backups-deleted-anyway": 1,
        "package-script-missing": 1,
        "path-to-fill-in": 1,
        "psql-without-on-error-stop": 1,
        "renamed-in-postgresql": 1,
        "statuses-not-told-apart": 1,
    }
