"""What can be known of a periodic job."""

from __future__ import annotations

from collections.abc import Callable

from opsverify.config.environment import Environment, Job
from opsverify.evidence.query import Query
from opsverify.facts.hosts import host_query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.host.logs.log_state import LogState
from opsverify.probes.host.logs.window import Source
from opsverify.probes.host.logs.written import WrittenLines
from opsverify.probes.host.question import Question
from opsverify.probes.host.system.cron import Cron
from opsverify.probes.host.system.timer import Timer


@fact("jobs", where=lambda job: job.role == "health-check", missing="job of role health-check")
def health_checks(environment: Environment, job: Job, settings: Settings) -> dict[str, Query]:
    """The periodic health check by what the environment names of it: timer (TimerFacts), cron (CronFacts), log
    (WrittenLog)."""
    words = (settings["succeeded"], settings["failed"])
    # A script that ends with `echo` ends well whatever it found: without a log, what it said counts.
    return _asked(environment, job, () if job.log else words, lambda path: WrittenLines(path, words))


@fact("jobs", where=lambda job: job.role != "health-check", missing="job of role backup or maintenance", optional=True)
def schedules(environment: Environment, job: Job, settings: Settings) -> dict[str, Query]:
    """A backup or maintenance job by what the environment names of it: timer (TimerFacts), cron (CronFacts), log
    (LogStateFacts)."""
    return _asked(environment, job, (), lambda path: LogState(Source(path)))


def _asked(
    environment: Environment, job: Job, words: tuple[str, ...], log: Callable[[str], Question]
) -> dict[str, Query]:
    asked: dict[str, Question] = {}
    if job.timer:
        asked["timer"] = Timer(job.timer, words)
    if job.cron:
        asked["cron"] = Cron(job.cron)
    if job.log:
        asked["log"] = log(job.log)
    return {name: host_query(environment.hosts[job.host], question) for name, question in asked.items()}
