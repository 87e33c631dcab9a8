"""Everything of a whole system poisoned at once: each text of it that reaches a report arrives there harmless."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import rehearsal
from rehearsal.whole import Rehearsal
from tests.hostile import poisoning
from tests.hostile.conftest import Run, Runner
from tests.hostile.poison import planted
from tests.plugin.conftest import ROOT, Project

PYTESTS_OWN_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
MORE = """
  named: {host: here, role: other, pid_file: "NAMED", port: 1}
  unit: {host: here, role: backend, unit: mycats-poisoned}
"""
QUOTED = {
    # Of these, at least, a report is known to quote something: else this test would prove nothing.
    "dump-name", "archive-name", "member", "migration", "applied", "failed", "logged", "path", "temporary", "role",
    "constraint", "index", "changed", "health-check", "deployed", "row", "unit",
}  # fmt: skip


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rehearsal, Path]]:
    folder = tmp_path_factory.mktemp("poison") / "bin"
    with rehearsal.private() as whole:
        poisoning.everything(whole, folder)
        with poisoning.named_process(whole, "</script>\x1b[31m"):
            yield whole, folder


@pytest.mark.parametrize(
    "arguments",
    [("-vv", "-rA", "--probe-durations", "--color=yes"), ("-n", "2", "--language", "ja")],
    ids=["verbose", "workers"],
)
def test_no_text_of_a_poisoned_system_does_harm(
    project: Project,
    suite: Runner,
    poisoned: tuple[Rehearsal, Path],
    harmless: Callable[[Run], str],
    arguments: tuple[str, ...],
) -> None:
    whole, programs = poisoned
    text = (ROOT / "environments/rehearsal.yaml").read_text()
    text = text.replace("\nreleases:", MORE.replace("NAMED", str(whole.layout.run / "named.pid")) + "\nreleases:", 1)
    text = text.replace("  service-journal-errors:", "  not-this-check:").replace("  system-log-errors:", "  nor-this:")
    lines = [line for line in text.splitlines() if not line.startswith(("  not-this-check", "  nor-this"))]
    (project.folder / "environments/rehearsal.yaml").write_text("\n".join(lines) + "\n")
    path = f"{programs}:{os.environ['PATH']}"
    root = str(whole.layout.root)
    done = suite("--env", "rehearsal", *arguments, PATH=path, REHEARSAL_ATTACH=root, TERM="xterm")
    assert "\x1b[31mred" not in done.output
    done = replace(done, output=PYTESTS_OWN_COLOURS.sub("", done.output))
    page = harmless(done)
    assert done.code == 1
    reached = planted("\n".join(" ".join(output.values()) for output in done.found.values()))
    assert QUOTED - reached == set(), sorted(reached)
    assert QUOTED - planted(page) == set()
    # One poisoned thing must not hide what is well beside it.
    assert done.verdicts("test_api_health[blue]", "test_database_connect") == {
        "test_api_health[blue]": "normal",
        "test_database_connect[primary]": "normal",
    }
