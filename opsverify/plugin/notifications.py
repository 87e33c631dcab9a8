"""Tells channels what a run has found: `--no-notify`, `--notify-test`, and what every report says of it.

Whoever runs the suite by hand notifies, too: what they find is as true, the history keeps it from being told twice, and
a `--notify` that a crontab forgot would be noticed by nobody.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from opsverify.config.deadlines import respond_by
from opsverify.errors import ConfigurationError
from opsverify.history.recording import revision
from opsverify.plugin.failures import reports_of_failure
from opsverify.plugin.startup import start, unusable_channels
from opsverify.plugin.state import RUN, Run, is_worker
from opsverify.reporting.digest import concerns
from opsverify.reporting.results import Outcome, Result

if TYPE_CHECKING:
    from opsverify.config.notification import Maintenance
    from opsverify.notify.heartbeat import Heartbeat
    from opsverify.notify.telling import Telling, Told
    from opsverify.reporting.words import Words

NAME = "opsverify-notifications"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("opsverify", "operational verification")
    group.addoption("--no-notify", action="store_true", help="tell no channel what is found, and ping no watcher")
    group.addoption(
        "--notify-test",
        action="store_true",
        help="send a test message to every channel of the environment, and end; exit code 1 where one was not taken",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if not config.option.notify_test or config.option.help:
        return None
    from opsverify.notify.telling import try_channels

    try:
        run = start(config)
        refuse_unusable(run)
    except ConfigurationError as error:
        from opsverify.plugin.refusal import refused

        raise refused(config, error) from None
    tellings = _tellings(config, run)
    if not any(telling.notify.channels for telling in tellings):
        raise pytest.UsageError("--notify-test: found no channel, allowed one under notify.channels of the environment")
    reasons = []
    for telling in tellings:
        for name, reason in try_channels(telling, datetime.now(UTC)).items():
            said = f"NOT DELIVERED: {reason}" if reason else "taken"
            print(run.redactor.printable(f"{telling.environment.name}: channel {name}: {said}"))
            reasons.append(reason)
    return int(any(reasons))


def refuse_unusable(run: Run) -> None:
    """Raises ConfigurationError where a channel could send nothing."""
    mistakes = [line for loaded in run.environments for line in unusable_channels(loaded)]
    if mistakes:
        raise ConfigurationError(mistakes)


def register(config: pytest.Config, run: Run) -> Notifications | None:
    """The plugin object of the process that reports; None, and nothing imported for it, where nobody is to be told."""
    wanted = any(loaded.environment.notify is not None for loaded in run.environments)
    if not wanted or config.option.no_notify or config.option.collectonly or is_worker(config):
        return None
    refuse_unusable(run)
    from opsverify.notify.heartbeat import Heartbeat

    tellings = _tellings(config, run)
    addresses = {telling.environment.name: telling.notify.heartbeat for telling in tellings}
    heartbeats = {name: Heartbeat(url.get_secret_value()) for name, url in addresses.items() if url}
    notifications = Notifications(run, tellings, heartbeats)
    config.pluginmanager.register(notifications, NAME)
    return notifications


def _tellings(config: pytest.Config, run: Run) -> list[Telling]:
    from opsverify.notify.telling import Telling

    return [
        Telling(one.environment, run.histories[one.environment.name], run.redactor, revision(config.rootpath))
        for one in run.environments
        if one.environment.notify is not None
    ]


@dataclass(eq=False)  # pluggy keeps plugins in sets
class Notifications:
    """Plugin object of the process that reports."""

    run: Run
    tellings: Sequence[Telling]
    heartbeats: dict[str, Heartbeat]
    told: dict[str, Told] = field(default_factory=dict)
    """By environment."""
    unheard: list[str] = field(default_factory=list)

    def pytest_sessionstart(self) -> None:
        for heartbeat in self.heartbeats.values():
            heartbeat.start()

    def tell(self, results: Sequence[Result], *, partial: bool) -> Iterator[tuple[str, str, str]]:
        """Tell all channels; yields environment, channel and reason of each message that was not delivered."""
        from opsverify.notify.telling import tell

        for telling in self.tellings:
            name = telling.environment.name
            # What belongs to no environment hides what would: in doubt, it is everybody's.
            own = [one for one in results if one.environment == name or not one.environment]
            told = self.told[name] = tell(telling, own, datetime.now(UTC), partial=partial)
            yield from ((name, channel, reason) for channel, reason in told.failed.items())

    def expected(self) -> dict[str, str]:
        """By node id: the maintenance window in which what failed is expected."""
        every = (one for told in self.told.values() for one in told.expected)
        return {result.nodeid: self.run.redactor.printable(_terms(window)) for result, window in every}

    def finish(self, code: int) -> None:
        """Ping the watchers. A ping that is not taken changes no exit code: its absence is the alarm itself."""
        for name, heartbeat in self.heartbeats.items():
            reason = heartbeat.finish(code)
            if reason:
                self.unheard.append(self.run.redactor.printable(f"HEARTBEAT NOT TAKEN: {name}: {reason}"))

    def lines(self) -> list[str]:
        """What the terminal says of it."""
        lines = []
        for name, told in self.told.items():
            where = f" ({name})" if len(self.told) > 1 else ""
            lines += [f"Notified {channel}{where}: {what}" for channel, what in told.sent.items()]
            for window, results in _by_window(told):
                lines += [
                    f"In maintenance{where}, nobody was notified: {one.name} ({_terms(window)})"
                    for one in concerns(results)
                ]
        return [self.run.redactor.printable(line, 2000) for line in lines]

    def section(self, words: Words) -> str:
        """The same for the HTML report, which has the heading for it; "" where there was nothing to tell."""
        from opsverify.reporting.html import table

        rows = []
        for name, told in self.told.items():
            rows += [(name, channel, what) for channel, what in {**told.sent, **told.failed}.items()]
            for window, results in _by_window(told):
                rows += [(name, words("in maintenance"), f"{one.name}: {_terms(window)}") for one in concerns(results)]
            rows += [(name, "", remark) for remark in told.remarks]
        clean = self.run.redactor.clean
        heads = (words("environment"), words("channel"), words("notified"))
        return table(heads, [tuple(clean(cell) for cell in row) for row in rows]) if rows else ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # around the summary: below its last line, where it is seen
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, object, object]:
        outcome = yield
        remarks = [remark for told in self.told.values() for remark in told.remarks]
        for text in (*remarks, *self.unheard):
            terminalreporter.write_line(self.run.redactor.printable(text), red=True, bold=True)
        return outcome


def _by_window(told: Told) -> list[tuple[Maintenance, list[Result]]]:
    windows = list(dict.fromkeys(window for _, window in told.expected))
    return [(window, [result for result, of in told.expected if of == window]) for window in windows]


def _terms(window: Maintenance) -> str:
    days = f" {', '.join(window.days)}" if window.days else ""
    return f"{window.owner}, {window.start} to {window.end}{days}: {window.reason}"


@pytest.hookimpl(tryfirst=True)  # after the waivers, whose failures are to be told: pluggy calls the last one first
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    notifications = config.pluginmanager.get_plugin(NAME)
    results = config.pluginmanager.get_plugin("opsverify-results")
    if notifications is None or results is None:
        return
    for environment, channel, reason in notifications.tell(results.all(), partial=results.partial):
        for report in _reports(config.stash[RUN], environment, channel, reason):
            config.hook.pytest_runtest_logreport(report=report)
    results.maintenance.update(notifications.expected())


def _reports(run: Run, environment: str, channel: str, reason: str) -> Iterator[pytest.TestReport]:
    of = next(loaded.environment for loaded in run.environments if loaded.environment.name == environment)
    name, path = f"notification {channel}", f"environments/{environment}.yaml"
    properties = {
        "runbook": "notification",
        "environment": environment,
        "target": channel,
        "title": "Whoever must act was told",
        "severity": "P1",  # so that it fails the run whatever --fail-on says
        "verdict": Outcome.ALERT.value,
        "observed": reason,
        "expected": "every message delivered",
        "sentence": reason,
        "action": "Tell them, then repair the channel (--notify-test tries it); the next run sends the message again.",
        "respond_by": respond_by("P1", datetime.now(UTC), of.country, of.timezone).isoformat(timespec="seconds"),
    }
    return reports_of_failure(path, name, f"{path}::{name}", list(properties.items()), reason)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    notifications = config.pluginmanager.get_plugin(NAME)
    for line in notifications.lines() if notifications is not None else ():
        terminalreporter.write_line(line)
