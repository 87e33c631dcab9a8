"""Options and the life of a run: it is configured, its reports are registered, and it ends with an exit code."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from opsverify import reporting
from opsverify.config.environment import Environment
from opsverify.config.items import SCHEDULES, Severity
from opsverify.config.loading import load_items, one_setting
from opsverify.errors import ConfigurationError, OpsverifyError, ProbeError
from opsverify.history.comparing import Comparer
from opsverify.history.reading import last_results
from opsverify.history.recording import Recorder
from opsverify.plugin import costs, notifications
from opsverify.plugin.default_environment import chosen
from opsverify.plugin.exit_code import FailOn, exit_code
from opsverify.plugin.first_diagnostics import Diagnostics, hosts_of
from opsverify.plugin.startup import environment_files, location_of, runbook, start
from opsverify.plugin.state import RUN, Run, is_worker, looks_ahead
from opsverify.plugin.waivers import waivers_table
from opsverify.probes.host.ssh import close_connections
from opsverify.probes.host.ssh.left import left_to_openssh
from opsverify.reporting import atomic, traceability
from opsverify.reporting.results import Result
from opsverify.reporting.text import Redactor, printable


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("opsverify", "operational verification")
    group.addoption(
        "--env",
        action="append",
        metavar="ENVIRONMENT",
        help="environment to verify: a name from environments/, or a path to a YAML file; repeatable. "
        "Required, unless the variable VERIFY_ENV or else `env` in pytest.ini names one.",
    )
    group.addoption("--slot", metavar="SLOT", help="verify this deployment slot instead of the active one")
    group.addoption(
        "--revision",
        metavar="COMMIT",
        help="the commit that was meant to be deployed: a hash, or a tag that the checkout knows (default: the head of "
        "the release branch)",
    )
    group.addoption(
        "--fail-on",
        metavar="LEVEL",
        default="P4",
        help="what makes the exit code 1: failures of this severity or worse (P1, P2, P3, P4; default: P4, all), "
        "or 'warning': all failures and warnings. With 'new', or 'new,P2', only those that the last run that judged "
        "them did not find as well",
    )
    group.addoption(
        "--concurrency",
        type=_positive,
        metavar="N",
        help="probes that work at once (default: by processors and open files)",
    )
    group.addoption("--executor", metavar="URL", help="run the probes on a Dask cluster: dask://scheduler:8786")
    group.addoption("--probe-durations", action="store_true", help="show what each probe cost (not with -n)")
    group.addoption("--language", choices=("en", "ja"), help="language of titles and instructions in reports")
    group.addoption(
        "--history",
        metavar="URL",
        help="where results are kept: sqlite:///path/to/history.db, postgresql://user@host/name, or 'none' "
        "(default: the environment's history, else reports/history.db)",
    )
    reporting.add_options(group)
    group.addoption(
        "--traceability",
        action="store_true",
        help="list which check proves which chapter of the runbook, both ways, and end; exit code 1 where one is "
        "missing. Contacts nothing; with --env, results are shown from the history",
    )


@pytest.hookimpl(tryfirst=True)  # before pytest's own reports read the paths that are set here
def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in SCHEDULES.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    for severity in Severity:
        config.addinivalue_line("markers", f"{severity.value}: severity {severity.value} of the runbook")
    config.addinivalue_line(
        "markers",
        "runbook(id, only=schedule): the item of checks/runbook.yaml that a check proves; with `only`, it runs when "
        "-m names that schedule and never otherwise",
    )
    if config.option.help or config.option.markers or config.option.showfixtures or config.option.version:
        return
    try:
        FailOn.parse(config.option.fail_on)
    except ValueError as error:
        raise pytest.UsageError(f"--fail-on: found {config.option.fail_on!r}, allowed {error}") from None
    try:
        config.stash[RUN] = run = start(config)
        if not is_worker(config) and not looks_ahead(config):
            _reports(config, run)
    except ConfigurationError as error:
        from opsverify.plugin.refusal import refused

        raise refused(config, error) from None
    except OpsverifyError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if not config.option.traceability or config.option.help:
        return None
    try:
        return _traceability(config)
    except ConfigurationError as error:
        raise pytest.UsageError("\n".join(error.mistakes)) from None


def _traceability(config: pytest.Config) -> int:
    path = runbook(config)
    items = load_items(path)
    checks = traceability.read_checks(path.parent, items)
    last: list[traceability.Last] = []
    names = chosen(config).names
    for path in environment_files(config, names) if names else ():
        location = location_of(config, path, one_setting(path, "history"))
        try:
            results = () if location.off else last_results(location, path.stem)
        except ProbeError as error:
            print(f"{path.stem}: {printable(Redactor().clean(str(error)))}")
            continue
        of = f"{path.stem}:" if len(names) > 1 else ""
        last += [traceability.Last(r.nodeid, f"{of}{r.target}", r.verdict, r.started_at) for r in results]
    print("\n".join(traceability.lines(items, checks, last, config.option.language or "en")))
    return int(bool(traceability.gaps(items, checks)))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


def _reports(config: pytest.Config, run: Run) -> None:
    """Every run leaves its reports under reports/<environment>/, wherever else they are asked for."""
    from opsverify.reporting.words import Words

    folder = config.rootpath / "reports" / "+".join(loaded.environment.name for loaded in run.environments)
    if not config.option.collectonly:
        for option, name in (("htmlpath", "report.html"), ("xmlpath", "junit.xml")):
            path = Path(getattr(config.option, option, None) or folder / name)
            _writable(path, _empty)
            setattr(config.option, option, str(path))
        config.option.self_contained_html = True
        for path, one in reporting.files(config).items():
            _writable(path, partial(atomic.writable, keep=one.keep))
    results = reporting.register(config, run)
    told = notifications.register(config, run)
    html = config.pluginmanager.get_plugin("opsverify-html")
    if html is not None:
        first = run.environments[0]
        language = config.option.language or first.environment.language
        section = traceability.Section(first.items, config.rootpath / "checks", language)
        html.add_section(section.title, section)
        words = Words(language)
        environments = [loaded.environment for loaded in run.environments]
        html.hosts = partial(_hosts, {environment.name: environment for environment in environments})
        if any(loaded.environment.waivers for loaded in run.environments):
            html.add_section(words("declared waivers"), lambda results: waivers_table(run, words, results))
        if told is not None:
            html.add_section(words("notifications"), lambda _: told.section(words))
        html.add_section(words("costs"), lambda all_of: costs.section(run.evidence, left_to_openssh(), words, all_of))
        if not config.option.collectonly:
            beside = Path(config.option.htmlpath).parent
            steps = Diagnostics(environments, run.redactor, beside, language, results.all, html.add_diagnostics)
            config.pluginmanager.register(steps, "opsverify-diagnostics")
    if not config.option.collectonly:
        only_new = FailOn.parse(config.option.fail_on).only_new
        comparer = Comparer(run.histories, results, run.now, run.redactor, only_new)
        config.pluginmanager.register(comparer, "opsverify-comparer")  # the last one with this hook is called first
        arguments = [str(argument) for argument in config.invocation_params.args]
        recorder = Recorder(run.histories, run.slot or "", run.now, run.redactor, config.rootpath, arguments)
        config.pluginmanager.register(recorder, "opsverify-history")


def _hosts(environments: Mapping[str, Environment], result: Result) -> Iterable[str]:
    """The hosts that a result is about, named as the report names them; with several environments, hosts of each."""
    environment = environments.get(result.environment)
    of = f"{result.environment}-" if len(environments) > 1 else ""
    return [f"{of}{name}" for name in sorted(hosts_of(environment, result))] if environment else []


def _writable(path: Path, attempt: Callable[[Path], None]) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds evidence; who wants to, opens it
        attempt(path)
    except OSError as error:
        raise pytest.UsageError(f"the report {path} cannot be written ({error.strerror})") from None


def _empty(path: Path) -> None:
    with path.open("w"):  # what an earlier run wrote must not be taken for this one's, however it ends
        pass


def pytest_unconfigure(config: pytest.Config) -> None:
    if RUN in config.stash:
        close_connections()


@pytest.hookimpl(wrapper=True, trylast=True)  # when all reports are written, and before the summary of the terminal
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None, object, object]:
    outcome = yield
    plugins = session.config.pluginmanager
    results, recorder = plugins.get_plugin("opsverify-results"), plugins.get_plugin("opsverify-history")
    if results is not None and not session.config.option.collectonly:
        all_results = results.all()
        fail_on = FailOn.parse(session.config.option.fail_on)
        code = exit_code(all_results, fail_on, int(exitstatus), partial=results.partial)
        files: Any = plugins.get_plugin("opsverify-output-files")
        session.exitstatus = code = files.write(code)
        if recorder is not None:
            recorder.write(all_results, code, partial=results.partial)
        told = plugins.get_plugin(notifications.NAME)
        if told is not None:
            told.finish(code)
    return outcome
