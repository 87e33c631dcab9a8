"""`--metrics FILE`: what a run found as metrics, for the textfile collector of Prometheus's node_exporter.

The text is valid by two formats at once: OpenMetrics 1.0 (github.com/prometheus/OpenMetrics, which GitLab's metrics
reports take), and Prometheus's own 0.0.4, which is all that node_exporter reads. So every metric is a gauge: 0.0.4
knows neither `stateset` nor `info`. Nor may a series have a time stamp: the end of the run is a metric of its own.

A verdict is one series with the value 1, and its label says which. An alert rule asks for just that, and resolves
when the series goes. One series for each of the eight verdicts would make a fleet of 1,000 hosts 200,000 series.
What must not have gaps, for rules over time, is `opsverify_check_failed`.

How many series there are is bounded by the environment file: a few for each check and target. No label is text that a
target chose; of the many figures that a check may have measured, only the one that decided is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from opsverify import __version__
from opsverify.reporting.digest import counts
from opsverify.reporting.finished import FinishedRun
from opsverify.reporting.results import Outcome, Result


@dataclass(frozen=True)
class Family:
    """A metric: all series of one name. None has the same labels twice."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    """Beside those of RUN."""
    unit: str = ""


RUN = ("environment", "selection", "slot")
"""On every series: node_exporter takes none where two files of its folder have the same one, and a check may be in the
smoke run's file as in the daily one's. `selection` is pytest's `-m`."""
CHECK = ("check", "target", "target_kind", "severity")

INFO = Family("opsverify_run_info", "Which version of the suite ran, for which revision.", ("version", "revision"))
END = Family("opsverify_run_end_timestamp_seconds", "When the run ended, Unix time.", unit="seconds")
DURATION = Family("opsverify_run_duration_seconds", "How long the run took.", unit="seconds")
EXIT_CODE = Family("opsverify_run_exit_code", "0 well, 1 failed, 2 interrupted, 3, 4 an error, 5 nothing judged.")
COMPLETE = Family("opsverify_run_complete", "1 where the run got to its end, 0 where checks are missing.")
RESULTS = Family("opsverify_results", "How many checks of targets had this verdict.", ("verdict",))
FAILED = Family("opsverify_check_failed", "1 where a person must act, else 0.", CHECK)
VERDICT = Family("opsverify_check_verdict", "Always 1; the label says how the check ended.", (*CHECK, "verdict"))
VALUE = Family("opsverify_check_value", "The figure that decided, in the unit of its label.", (*CHECK, "unit"))
WARNING_LIMIT = Family("opsverify_check_warning_limit", "Where normal ends.", ("check", "unit", "worse"))
ALERT_LIMIT = Family("opsverify_check_alert_limit", "Past this it is an alert.", ("check", "unit", "worse"))

FAMILIES = (
    INFO, END, DURATION, EXIT_CODE, COMPLETE, RESULTS, FAILED, VERDICT, VALUE, WARNING_LIMIT, ALERT_LIMIT,
)  # fmt: skip


def text(run: FinishedRun) -> str:
    """The content of the file."""
    exposition = _Exposition(run)
    for environment in run.heading.environments:
        _add_run(exposition, run, environment)
    for result in run.results:
        _add_result(exposition, result, result.environment or run.heading.environment)
    return exposition.text()


@dataclass
class _Exposition:
    run: FinishedRun
    series: dict[Family, dict[tuple[str, ...], float]] = field(default_factory=lambda: {f: {} for f in FAMILIES})

    def add(self, family: Family, environment: str, value: float, *labels: str) -> bool:
        """Add a series; False where there is one already, which stays."""
        values = (environment, self.run.heading.selection, self.run.heading.slot, *labels)
        added = values not in self.series[family]
        self.series[family].setdefault(values, value)
        return added

    def text(self) -> str:
        return "\n".join(line for family in FAMILIES for line in self._lines(family)) + "\n# EOF\n"

    def _lines(self, family: Family) -> Iterator[str]:
        yield f"# HELP {family.name} {family.help}"
        yield f"# TYPE {family.name} gauge"
        if family.unit:
            yield f"# UNIT {family.name} {family.unit}"
        for values, value in self.series[family].items():
            pairs = zip((*RUN, *family.labels), values, strict=True)
            yield f"{family.name}{{{_labels(pairs)}}} {value!r}"


def _add_run(exposition: _Exposition, run: FinishedRun, environment: str) -> None:
    exposition.add(INFO, environment, 1, __version__, run.heading.revision)
    exposition.add(END, environment, round(run.ended.timestamp(), 3))
    exposition.add(DURATION, environment, round(run.seconds, 3))
    exposition.add(EXIT_CODE, environment, run.exit_code)
    exposition.add(COMPLETE, environment, int(not run.partial))
    for outcome, number in _counts_of(run, environment).items():
        exposition.add(RESULTS, environment, number, outcome.value)


def _counts_of(run: FinishedRun, environment: str) -> Mapping[Outcome, int]:
    """What belongs to no environment, a file that could not be read, counts in each."""
    return counts(result for result in run.results if result.environment in (environment, ""))


def _add_result(exposition: _Exposition, result: Result, environment: str) -> None:
    severity = result.severity if result.runbook else ""
    check = (result.runbook or result.nodeid, result.target, result.target_kind, severity)
    if not exposition.add(FAILED, environment, int(result.outcome.failed), *check):
        return  # a check in several parts: results come worst first, and the worst one counts
    exposition.add(VERDICT, environment, 1, *check, result.verdict)
    if result.value:
        exposition.add(VALUE, environment, float(result.value), *check, result.unit)
    if bounds := result.bounds:
        labels = (check[0], result.unit, bounds.worse)
        exposition.add(WARNING_LIMIT, environment, bounds.warning, *labels)
        exposition.add(ALERT_LIMIT, environment, bounds.alert, *labels)


def _labels(pairs: Iterable[tuple[str, str]]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
