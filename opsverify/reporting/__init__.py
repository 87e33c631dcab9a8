"""Reports: every one of them is written from the same `opsverify.reporting.results.Result` records.

text       makes what a target says harmless and takes secrets out
collected  pytest's reports → results
alike      results that say the same of many targets → groups; ranges: many names in few words
change     what is different about a finding since earlier runs, as `opsverify.history` tells it
digest     results → counts, the list of what needs a person
terminal · html · junit  the reports themselves
rows       those of the HTML report's table, many alike folded into one
markdown   `--summary FILE`
writing    what happens when one cannot be written
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from opsverify.reporting.collected import Results
    from opsverify.reporting.digest import Heading


FORMATS = ("markdown",)
"""The modules of the reports that are written where an option says: each has OPTION, add_option and Report."""


def add_options(group: Any) -> None:
    """Declare the options of those reports."""
    for name in FORMATS:
        _format(name).add_option(group)


def files(config: pytest.Config) -> dict[str, Path]:
    """Where those reports go that the command line asks for, by format."""
    paths = {name: getattr(config.option, _format(name).OPTION, None) for name in FORMATS}
    return {name: config.invocation_params.dir / path for name, path in paths.items() if path}


def _format(name: str) -> Any:
    return importlib.import_module(f"{__name__}.{name}")


def register(config: pytest.Config, run: Any) -> Results:
    """Register all reports of a run; call it in `pytest_configure`, on the process that reports (never a worker).

    `run` has `environments` (loaded ones), `title`, `slot` and `now`. Returns the results, which fill up as reports
    arrive; the plugin objects are known by the names `opsverify-results`, `-terminal`, `-junit` and `-html`.
    """
    from opsverify.reporting.digest import Heading

    loaded = [one.environment for one in run.environments]
    heading = Heading(
        environment=" + ".join(environment.name for environment in loaded),
        title=run.title,
        slot=run.slot or "",
        language=getattr(config.option, "language", None) or (loaded[0].language if loaded else "en"),
        started=run.now,
    )
    return register_reports(config, heading)


def register_reports(config: pytest.Config, heading: Heading) -> Results:
    """As `register`, for a heading that is already known."""
    from opsverify.reporting.collected import Results
    from opsverify.reporting.terminal import Summary
    from opsverify.reporting.writing import Writing

    manager, results = config.pluginmanager, Results()
    manager.register(results, "opsverify-results")
    manager.register(Summary(results, heading), "opsverify-terminal")
    writing = Writing(config)
    manager.register(writing, "opsverify-writing")
    for name, path in files(config).items():
        manager.register(_format(name).Report(path, results, heading, writing), f"opsverify-{name}")
    if getattr(config.option, "xmlpath", None):
        from opsverify.reporting.junit import JUnit

        manager.register(JUnit(results, heading), "opsverify-junit")
    if getattr(config.option, "htmlpath", None):
        from opsverify.reporting.html import Html

        manager.register(Html(results, heading), "opsverify-html")
    return results
