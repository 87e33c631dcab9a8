"""Reports: every one of them is written from the same `opsverify.reporting.results.Result` records.

text       makes what a target says harmless and takes secrets out
collected  pytest's reports → results
alike      results that say the same of many targets → groups; ranges: many names in few words
change     what is different about a finding since earlier runs, as `opsverify.history` tells it
digest     results → counts, the list of what needs a person
terminal · html · junit  the reports themselves
finished   a run that has ended: what the files below are written from
markdown   `--summary FILE`
run_document  `--json FILE`
openmetrics  `--metrics FILE`
github     the job's page and annotations, under GitHub Actions only
output_files  writes those files; atomic: each of them whole or not at all
writing    what happens when one cannot be written
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from opsverify.reporting.collected import Results
    from opsverify.reporting.digest import Heading
    from opsverify.reporting.finished import FinishedRun


@dataclass(frozen=True)
class Format:
    """A report that is written where an option says."""

    option: str
    module: str
    """Its `text(run)` makes the content of a FinishedRun; imported when there is something to write."""
    help: str
    keep: bool = False
    """Whether the file of an earlier run stays until this one's takes its place. It says when it was made, and an alert
    must not resolve while the next run looks."""


FORMATS = (
    Format("summary", "markdown", "write what needs a person as Markdown: for a pull request"),
    Format("json", "run_document", "write the whole run as JSON, as opsverify/reporting/run.schema.json describes it"),
    Format("metrics", "openmetrics", "write metrics for node_exporter's textfile collector, or for GitLab", keep=True),
)


def add_options(group: Any) -> None:
    """Declare the options of those reports."""
    for one in FORMATS:
        group.addoption(f"--{one.option}", metavar="FILE", help=one.help)


def files(config: pytest.Config) -> dict[Path, Format]:
    """Those reports that the command line asks for, by where they go; raises UsageError for two in one file."""
    import pytest

    asked = [(one, path) for one in FORMATS if (path := getattr(config.option, one.option, None))]
    by_path = {config.invocation_params.dir / path: one for one, path in asked}
    if len(by_path) < len(asked):
        raise pytest.UsageError(
            f"{' and '.join(f'--{one.option}' for one, _ in asked)}: found one file for two reports"
        )
    return by_path


def _text(module: str, run: FinishedRun) -> str:
    text: str = importlib.import_module(f"{__name__}.{module}").text(run)
    return text


def register(config: pytest.Config, run: Any) -> Results:
    """Register all reports of a run; call it in `pytest_configure`, on the process that reports (never a worker).

    `run` has `environments` (loaded ones), `title`, `slot` and `now`. Returns the results, which fill up as reports
    arrive; the plugin objects are known by the names `opsverify-results`, `-terminal`, `-junit` and `-html`.
    """
    from opsverify.reporting.digest import SEPARATOR, Heading

    loaded = [one.environment for one in run.environments]
    heading = Heading(
        environment=SEPARATOR.join(environment.name for environment in loaded),
        title=run.title,
        slot=run.slot or "",
        language=getattr(config.option, "language", None) or (loaded[0].language if loaded else "en"),
        started=run.now,
        selection=getattr(config.option, "markexpr", None) or "",
        revision=getattr(config.option, "revision", None) or "",
    )
    return register_reports(config, heading)


def register_reports(config: pytest.Config, heading: Heading) -> Results:
    """As `register`, for a heading that is already known."""
    from opsverify.reporting.collected import Results
    from opsverify.reporting.output_files import OutputFiles
    from opsverify.reporting.terminal import Summary
    from opsverify.reporting.writing import Writing

    manager, results = config.pluginmanager, Results()
    manager.register(results, "opsverify-results")
    manager.register(Summary(results, heading), "opsverify-terminal")
    writing = Writing(config)
    manager.register(writing, "opsverify-writing")
    texts = {path: partial(_text, one.module) for path, one in files(config).items()}
    manager.register(OutputFiles(texts, results, heading, writing), "opsverify-output-files")
    if getattr(config.option, "xmlpath", None):
        from opsverify.reporting.junit import JUnit

        manager.register(JUnit(results, heading), "opsverify-junit")
    if getattr(config.option, "htmlpath", None):
        from opsverify.reporting.html import Html

        manager.register(Html(results, heading), "opsverify-html")
    if os.environ.get("GITHUB_ACTIONS") == "true" and not config.option.collectonly:
        from opsverify.reporting.github import GitHub

        manager.register(GitHub(results, heading, writing, config.rootpath), "opsverify-github")
    return results
