"""The pytest plugin: options, one test per check and target, evidence before the first test, outcomes after each."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import opsverify.vocabulary  # noqa: F401 - registers the nouns
from opsverify import selection, traceability
from opsverify.bands import Verdict
from opsverify.deadlines import respond_by
from opsverify.environment import KINDS, Environment, Target, Waiver
from opsverify.errors import ConfigurationError, NotApplicable, OpsverifyError, ProbeError, Unreachable
from opsverify.evidence import Ask, Evidence, collect
from opsverify.expect import Expect, NothingJudged, PromiseBroken
from opsverify.gate import LEVELS, exit_code
from opsverify.history.location import Location, locate
from opsverify.history.reading import History, Reader, last_results
from opsverify.history.recording import Recorder
from opsverify.items import SCHEDULES, Item, Severity
from opsverify.loading import Loaded, load_environment, load_items, one_setting, read_yaml
from opsverify.nouns import NOUNS, Noun
from opsverify.probes import host
from opsverify.reporting.text import Redactor, printable, printable_block
from opsverify.results import Outcome, figures_text, record

ENVIRONMENTS = "environments"


@dataclass(frozen=True)
class Aim:
    """One check of one target. `target` is None where the check does not apply; `excuse` then says why."""

    loaded: Loaded
    item: Item
    target: Target | None
    excuse: str = ""

    @property
    def environment(self) -> Environment:
        return self.loaded.environment


@dataclass
class Run:
    """What one pytest process knows about its run."""

    environments: list[Loaded]
    slot: str | None
    redactor: Redactor
    evidence: Evidence
    mistakes: list[str]
    now: datetime
    histories: dict[str, Location] = field(default_factory=dict)
    """Where each environment's earlier runs are kept, by its name."""
    readers: dict[Location, Reader] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The environments' titles, and the slot that is looked at where there are several."""
        titles = []
        for loaded in self.environments:
            environment = loaded.environment
            slot = self.slot or environment.active_slot
            titles.append((environment.title or environment.name) + (f" (slot {slot})" if slot else ""))
        return " + ".join(titles)


RUN = pytest.StashKey[Run]()
AIM = pytest.StashKey[Aim]()
VARIABLES = pytest.StashKey[dict[str, str]]()
SHARED = pytest.StashKey[str]()


# --- options -----------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("opsverify", "operational verification")
    group.addoption(
        "--env",
        action="append",
        metavar="ENVIRONMENT",
        help="environment to verify: a name from environments/, or a path to a YAML file; repeatable. "
        "Required, unless VERIFY_ENV is set.",
    )
    group.addoption("--slot", metavar="SLOT", help="verify this deployment slot instead of the active one")
    group.addoption(
        "--fail-on",
        metavar="LEVEL",
        default="P4",
        help="what makes the exit code 1: failures of this severity or worse (P1, P2, P3, P4; default: P4, all), "
        "or 'warning': all failures and warnings",
    )
    group.addoption("--language", choices=("en", "ja"), help="language of titles and instructions in reports")
    group.addoption(
        "--history",
        metavar="URL",
        help="where results are kept: sqlite:///path/to/history.db, postgresql://user@host/name, or 'none' "
        "(default: the environment's history, else reports/history.db)",
    )
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
    if config.option.fail_on not in LEVELS:
        raise pytest.UsageError(f"--fail-on: found {config.option.fail_on!r}, allowed {', '.join(LEVELS)}")
    try:
        run = _start(config)
    except ConfigurationError as error:
        _stop(config)
        raise pytest.UsageError("\n".join(error.mistakes)) from None
    except OpsverifyError as error:
        _stop(config)
        raise pytest.UsageError(str(error)) from None
    config.stash[RUN] = run
    if not _is_worker(config):
        _reports(config, run)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if not config.option.traceability or config.option.help:
        return None
    try:
        return _traceability(config)
    except ConfigurationError as error:
        raise pytest.UsageError("\n".join(error.mistakes)) from None


def _traceability(config: pytest.Config) -> int:
    folder = config.rootpath / "checks"
    items, checks = load_items(folder / "runbook.yaml"), traceability.read_checks(folder)
    last: list[traceability.Last] = []
    names = _environment_names(config)
    for path in _environment_files(config, names) if names else ():
        location = _location(config, path, one_setting(path, "history"))
        try:
            found = () if location.off else last_results(location, path.stem)
        except ProbeError as error:
            print(f"{path.stem}: {printable(Redactor().clean(str(error)))}")
            continue
        of = f"{path.stem}:" if len(names) > 1 else ""
        last += [traceability.Last(r.nodeid, f"{of}{r.target}", r.verdict, r.started_at) for r in found]
    print("\n".join(traceability.lines(items, checks, last, config.option.language or "en")))
    return int(bool(traceability.gaps(items, checks)))


def _location(config: pytest.Config, path: Path, url: object) -> Location:
    """The history of the environment in `path`, whose key has this value; the option comes first."""
    option = config.option.history
    where = f"{path}: history" if option is None else "--history"
    try:
        if option is not None:
            return locate(option, config.invocation_params.dir)
        return locate(str(url or ""), config.rootpath)
    except ValueError as error:
        raise ConfigurationError([f"{where}: found a value that does not fit, allowed {error}"]) from None


def _reports(config: pytest.Config, run: Run) -> None:
    """Every run leaves its reports under reports/<environment>/, wherever else they are asked for."""
    from opsverify import reporting

    folder = config.rootpath / "reports" / "+".join(loaded.environment.name for loaded in run.environments)
    if not config.option.collectonly:
        for option, name in (("htmlpath", "report.html"), ("xmlpath", "junit.xml")):
            path = Path(getattr(config.option, option, None) or folder / name)
            _writable(path)
            setattr(config.option, option, str(path))
        config.option.self_contained_html = True
    reporting.register(config, run)
    html = config.pluginmanager.get_plugin("opsverify-html")
    if html is not None:
        first = run.environments[0]
        language = config.option.language or first.environment.language
        section = traceability.Section(first.items, config.rootpath / "checks", language)
        html.add_section(section.title, section)
    if not config.option.collectonly:
        arguments = [str(argument) for argument in config.invocation_params.args]
        recorder = Recorder(run.histories, run.slot or "", run.now, run.redactor, config.rootpath, arguments)
        config.pluginmanager.register(recorder, "opsverify-history")


def _writable(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a"):
            pass
    except OSError as error:
        raise pytest.UsageError(f"the report {path} cannot be written ({error.strerror})") from None


def pytest_unconfigure(config: pytest.Config) -> None:
    if RUN in config.stash:
        host.close_connections()
    _stop(config)


def _start(config: pytest.Config) -> Run:
    items = load_items(config.rootpath / "checks" / "runbook.yaml")
    paths = _environment_files(config, _environment_names(config))
    loaded, mistakes = [], []
    for path in paths:
        try:
            variables = _provided(config, path)
            loaded.append(load_environment(path, items, variables))
        except ConfigurationError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigurationError(mistakes)
    slot = config.option.slot
    for one in loaded:
        slots = {getattr(t, "slot", None) for kind in KINDS for t in getattr(one.environment, kind).values()} - {None}
        if slot is not None and slot not in slots:
            allowed = ", ".join(sorted(slots)) or "no --slot: no target has one"
            mistakes.append(f"{one.path}: --slot: found {slot!r}, allowed {allowed}")
    if mistakes:
        raise ConfigurationError(mistakes)
    secrets = {secret for one in loaded for secret in one.secrets}
    histories = {}
    for one in loaded:
        url = one.environment.history
        histories[one.environment.name] = _location(config, one.path, url and url.get_secret_value())
    redactor = Redactor(secrets, {name for one in loaded for name in _public_names(one.environment)})
    return Run(loaded, slot, redactor, Evidence(), [], datetime.now(UTC), histories)


def _public_names(environment: Environment) -> Iterator[str]:
    """Words that a report must be able to say even where a careless secret is one of them."""
    for kind in KINDS:
        for target in getattr(environment, kind).values():
            yield target.name
            yield getattr(target, "unit", None) or ""


def _environment_names(config: pytest.Config) -> list[str]:
    return config.option.env or [name for name in os.environ.get("VERIFY_ENV", "").split(",") if name]


def _environment_files(config: pytest.Config, names: list[str]) -> list[Path]:
    folder = config.rootpath / ENVIRONMENTS
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    listing = "known environments: " + ", ".join(known) + "; or a path to a YAML file"
    if not names:
        raise ConfigurationError([f"--env: found nothing, allowed one of the environments ({listing})"])
    paths, mistakes = [], []
    for name in dict.fromkeys(names):
        looks_like_path = name.endswith((".yaml", ".yml")) or os.sep in name
        path = (config.invocation_params.dir / name) if looks_like_path else folder / f"{name}.yaml"
        if path.is_file():
            paths.append(path)
        else:
            mistakes.append(f"--env: found {name!r}, allowed one of the environments ({listing})")
    stems = [path.stem for path in paths]
    mistakes += [f"--env: found two files named {stem!r}, allowed one" for stem in set(stems) if stems.count(stem) > 1]
    if mistakes:
        raise ConfigurationError(mistakes)
    return paths


def _provided(config: pytest.Config, path: Path) -> Mapping[str, str]:
    """Variables of what the suite starts by itself for this environment; none for a real one."""
    raw = read_yaml(path)
    if not isinstance(raw, dict) or raw.get("provided_by") != "rehearsal":
        return {}
    if _is_worker(config):
        variables: dict[str, str] = config.workerinput["opsverify_variables"]  # type: ignore[attr-defined]
        return variables
    import rehearsal

    running = rehearsal.ensure()
    config.add_cleanup(running.stop)
    config.stash[VARIABLES] = dict(running.variables)
    return running.variables


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _stop(config: pytest.Config) -> None:
    if SHARED in config.stash and not _is_worker(config):
        shutil.rmtree(config.stash[SHARED], ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: hand what was started once, and a place to share the evidence, to each worker."""
    config = node.config
    if SHARED not in config.stash:
        config.stash[SHARED] = tempfile.mkdtemp(prefix="opsverify-")
    node.workerinput["opsverify_variables"] = config.stash.get(VARIABLES, {})
    node.workerinput["opsverify_shared"] = config.stash[SHARED]


# --- one test per check and target ---------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("runbook")
    if mark is None:
        return
    run = metafunc.config.stash[RUN]
    nouns = [NOUNS[name] for name in metafunc.fixturenames if name in NOUNS]
    aims: list[Any] = []
    for loaded in run.environments:
        aims += _aims(run, loaded, mark.args[0], nouns, metafunc.definition.nodeid)
    only = mark.kwargs.get("only")
    run.mistakes += [
        f"{metafunc.definition.nodeid}: found only={only!r}, allowed {', '.join(aim.item.schedule)}"
        for aim in aims
        if only is not None and only not in aim.item.schedule
    ]
    prefix = len(run.environments) > 1
    ids = []
    for aim in aims:
        name = aim.target.name if aim.target else "not-applicable"
        ids.append(f"{aim.environment.name}:{name}" if prefix else name)
    if "target" not in metafunc.fixturenames:
        metafunc.fixturenames.append("target")
    metafunc.parametrize("target", aims, ids=ids, indirect=True)


def _aims(run: Run, loaded: Loaded, item_id: str, nouns: list[Noun], nodeid: str) -> Iterator[Aim]:
    environment = loaded.environment
    item = loaded.items.get(item_id)
    if item is None:
        run.mistakes.append(f"{nodeid}: found @runbook({item_id!r}), allowed an id from checks/runbook.yaml")
        return
    kinds = {noun.kind for noun in nouns}
    if len(kinds) != 1:
        found = sorted(kinds) or "no kind"
        run.mistakes.append(f"{nodeid}: found nouns of {found}, allowed nouns of one kind of target")
        return
    kind = kinds.pop()
    excuse = environment.not_applicable.get(item_id) or environment.not_applicable.get(kind)
    if excuse:
        yield Aim(loaded, item, None, excuse)
        return
    targets = environment.targets(kind, run.slot)
    chosen = [t for t in targets if all(noun.where is None or noun.where(t) for noun in nouns)]
    if not chosen:
        missing = next((noun.missing for noun in nouns if noun.missing), kind)
        slot = f" in slot {run.slot}" if run.slot else ""
        run.mistakes.append(
            f"{loaded.path}: {item_id}: found no {missing}{slot} to check, "
            f"allowed at least one, or a reason under not_applicable.{item_id}"
        )
    for target in chosen:
        yield Aim(loaded, item, target)


def pytest_itemcollected(item: pytest.Item) -> None:
    aim = getattr(item, "callspec", None) and item.callspec.params.get("target")  # type: ignore[attr-defined]
    if not isinstance(aim, Aim):
        return
    item.stash[AIM] = aim
    run = item.config.stash[RUN]
    language = item.config.option.language or aim.environment.language
    only = _only(item)
    schedules = (only,) if only else aim.item.schedule
    for schedule in schedules:
        item.add_marker(schedule)
    item.add_marker(aim.item.severity.value)
    record(
        item,
        runbook=aim.item.id,
        environment=aim.environment.name,
        target=aim.target.name if aim.target else "",
        target_kind=aim.target.kind if aim.target else "",
        title=aim.item.title.in_language(language),
        action=aim.item.action.in_language(language),
        severity=aim.item.severity.value,
        schedule=" ".join(schedules),
        source=" ".join(aim.item.source),
        expected=str(aim.item.band or ""),
        unit=aim.item.band.unit if aim.item.band else "",
    )
    if aim.excuse:
        item.add_marker(pytest.mark.skip(reason=f"not applicable here: {aim.excuse}"))
    waiver = _waiver(aim)
    if waiver and waiver.expires > run.now:
        item.add_marker(pytest.mark.xfail(reason=_waived(waiver), strict=True, raises=PromiseBroken))


def _waiver(aim: Aim) -> Waiver | None:
    name = aim.target.name if aim.target else None
    fitting = [w for w in aim.environment.waivers if w.check == aim.item.id and w.target in (None, name)]
    return max(fitting, key=lambda waiver: waiver.expires, default=None)


def _waived(waiver: Waiver) -> str:
    until = waiver.expires.astimezone(UTC)
    return f"waived by {waiver.owner} until {until:%Y-%m-%d %H:%M} UTC: {waiver.reason}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if RUN in config.stash and config.stash[RUN].mistakes:
        raise pytest.UsageError("\n".join(dict.fromkeys(config.stash[RUN].mistakes)))
    unasked = [item for item in items if not selection.asked_for(_only(item), config.option.markexpr)]
    if unasked:
        config.hook.pytest_deselected(items=unasked)
        items[:] = [item for item in items if item not in unasked]


def _only(item: pytest.Item) -> str | None:
    """The one schedule that a check wants to be asked for by, where it does."""
    mark = item.get_closest_marker("runbook")
    only: str | None = mark.kwargs.get("only") if mark else None
    return only


# --- evidence ------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    config = session.config
    if config.option.collectonly or not session.items or session.testsfailed:
        return
    asks = {_ask_key(ask): ask for item in session.items for ask in _asks(item)}
    run = config.stash[RUN]
    seconds = max(loaded.environment.run_seconds for loaded in run.environments)
    run.evidence = _collect_once(config, list(asks.values()), seconds)


def _ask_key(ask: Ask) -> Any:
    return (ask.probe, ask.target.identity, ask.question)


def _asks(item: pytest.Item) -> Iterator[Ask]:
    aim = item.stash.get(AIM, None)
    if aim is None or aim.target is None:
        return
    for name in getattr(item, "fixturenames", ()):
        if name in NOUNS:
            yield NOUNS[name].ask(aim.environment, aim.target, aim.item.settings)


def _collect_once(config: pytest.Config, asks: list[Ask], seconds: float) -> Evidence:
    """The evidence; under xdist the first worker collects it and the others read what it left."""
    if not _is_worker(config):
        return collect(asks, run_seconds=seconds)
    from filelock import FileLock

    folder = Path(config.workerinput["opsverify_shared"])  # type: ignore[attr-defined]
    shared = folder / "evidence.pickle"
    with FileLock(folder / "lock"):
        if shared.exists():
            return Evidence(**pickle.loads(shared.read_bytes()))  # noqa: S301 - our own file, in a 0700 folder
        evidence = collect(asks, run_seconds=seconds)
        shared.write_bytes(pickle.dumps(evidence.state()))
        return evidence


# --- fixtures ------------------------------------------------------------------------------------------------------


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Target | None:
    """The target that this check is aimed at, as its environment file describes it."""
    aim: Aim = request.param
    return aim.target


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> Environment:
    """The environment that this check is aimed at."""
    return request.node.stash[AIM].environment


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """The item's settings from runbook.yaml, as the environment overrides them."""
    return request.node.stash[AIM].item.settings


@pytest.fixture
def now(request: pytest.FixtureRequest) -> datetime:
    """The moment at which this run began, UTC: the same for all checks."""
    return request.config.stash[RUN].now


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Expect:
    """Judges what it is given against the item's band, or as a plain yes/no; see opsverify.expect.Expect."""
    return Expect(request.node.stash[AIM].item)


@pytest.fixture
def history(request: pytest.FixtureRequest) -> History:
    """What earlier runs measured of this check's target; see opsverify.history.reading.History."""
    run, aim = request.config.stash[RUN], request.node.stash[AIM]
    location = run.histories[aim.environment.name]
    reader = run.readers.setdefault(location, Reader(location))
    return History(reader, aim.environment.name, aim.target.name, aim.target.kind)


def _fixture(noun: Noun) -> Any:
    def hand_over(request: pytest.FixtureRequest, target: Target) -> Any:
        aim = request.node.stash[AIM]
        try:
            return noun.fact(request.config.stash[RUN].evidence, aim.environment, target, aim.item.settings)
        except NotApplicable as error:
            pytest.skip(str(error))

    hand_over.__doc__ = noun.doc
    hand_over.__name__ = noun.name
    return pytest.fixture(name=noun.name)(hand_over)


for _noun in NOUNS.values():
    globals()[f"noun_{_noun.name}"] = _fixture(_noun)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    results = session.config.pluginmanager.get_plugin("opsverify-results")
    if results is not None and not session.config.option.collectonly:
        level = session.config.option.fail_on
        found = results.all()
        session.exitstatus = exit_code(found, level, int(exitstatus), partial=results.partial)
        recorder = session.config.pluginmanager.get_plugin("opsverify-history")
        if recorder is not None:
            recorder.write(found, int(session.exitstatus), partial=results.partial)


# --- outcomes ------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    result = yield
    if AIM in pyfuncitem.stash:
        expect = pyfuncitem.funcargs.get("expect")
        if not isinstance(expect, Expect):
            raise NothingJudged(f"{pyfuncitem.name} takes no `expect`: it judged nothing")
        expect.conclude()
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    run = item.config.stash.get(RUN, None)
    if run is None:
        return report
    clean = run.redactor.clean
    report.sections = [(name, printable_block(clean(text))) for name, text in report.sections]
    if AIM in item.stash:
        values = _outcome_of(item, call, report)
        if values:
            record(item, **{name: printable(clean(text), limit=2000) for name, text in values.items()})
            record(item, respond_by=_due(item.stash[AIM], values["verdict"]))
            if report.when == "call":
                record(item, measurements=_figures(item, clean))
            report.user_properties = list(item.user_properties)
    waived = report.skipped and hasattr(report, "wasxfail")
    if (report.failed or waived) and report.longrepr is not None:
        report.longrepr = _told(item, call, report, clean)
    return report


def _due(aim: Aim, verdict: str) -> str:
    """By when somebody must respond, ISO 8601 with offset; "" where nobody must."""
    if not Outcome(verdict).failed:
        return ""
    environment = aim.environment
    due = respond_by(aim.item.severity, datetime.now(UTC), environment.country, environment.timezone)
    return due.isoformat(timespec="seconds")


def _figures(item: pytest.Item, clean: Any) -> str:
    """What the check measured. Each name is cleaned by itself: the whole must stay JSON."""
    expect = getattr(item, "funcargs", {}).get("expect")
    if not isinstance(expect, Expect):
        return ""
    return figures_text((printable(clean(about), limit=100), value) for about, value in expect.measurements.items())


def _outcome_of(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> dict[str, str]:
    """The properties that this phase of a check settles; empty where it settles nothing."""
    expect = getattr(item, "funcargs", {}).get("expect")
    seen: dict[str, str] = {}
    if report.when == "call" and isinstance(expect, Expect) and expect.findings:
        worst = expect.worst
        alike = expect.sentences(worst.verdict)
        seen = {"observed": worst.observed, "expected": worst.expected, "unit": worst.unit}
        if worst.value is not None:
            seen["value"] = repr(worst.value)
        if worst.verdict is not Verdict.NORMAL:
            seen["sentence"] = "; ".join(alike)
    error = call.excinfo.value if call.excinfo else None
    if report.skipped:
        if hasattr(report, "wasxfail"):
            return {**seen, "verdict": Outcome.WAIVED.value, "sentence": f"{report.wasxfail}; {error}"}
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        return {"verdict": Outcome.NOT_APPLICABLE.value, "sentence": reason.removeprefix("Skipped: ")}
    if report.passed:
        if report.when != "call":
            return {}
        worst_verdict = expect.worst.verdict if isinstance(expect, Expect) else Verdict.NORMAL
        return {**seen, "verdict": worst_verdict.value}
    if isinstance(error, PromiseBroken):
        return {**seen, "verdict": Outcome.ALERT.value, "sentence": str(error)}
    if error is None:  # passed although a waiver expects it to fail
        waiver = _waiver(item.stash[AIM])
        text = f"the waiver hides nothing, remove it ({_waived(waiver)})" if waiver else str(report.longrepr)
        return {**seen, "verdict": Outcome.ALERT.value, "sentence": text}
    if isinstance(error, ProbeError):
        blocked = error.cause is not None and isinstance(error, Unreachable)
        cause = f"{error.cause.target}: {error.cause.message}" if error.cause else ""
        verdict = Outcome.BLOCKED if blocked else Outcome.UNDETERMINED
        return {"verdict": verdict.value, "sentence": cause or str(error), "cause": cause, "observed": str(error)}
    where = f"{type(error).__name__}: {error}" if isinstance(error, NothingJudged) else type(error).__name__
    sentence = f"the check itself broke ({where}), run it with --tb=short"
    return {**seen, "verdict": Outcome.BROKEN.value, "sentence": sentence}


def _told(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, clean: Any) -> str:
    """What a failure says: one sentence for what we know, a redacted traceback for a bug of the suite."""
    known = dict(item.user_properties)
    error = call.excinfo.value if call.excinfo else None
    if AIM in item.stash and (error is None or isinstance(error, (PromiseBroken, ProbeError))):
        text = str(known.get("sentence", ""))
        action = str(known.get("action", ""))
        return f"{text} → {action}" if error is None or isinstance(error, PromiseBroken) else text
    return printable_block(clean(str(call.excinfo.getrepr(style="short") if call.excinfo else report.longrepr)))
