"""What can be known of a periodic job."""

from __future__ import annotations

from opsverify.environment import Environment, Job
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import host as probes
from opsverify.vocabulary.hosts import ask_host


@noun("jobs", where=lambda job: job.role == "health-check", missing="job of role health-check")
def health_checks(environment: Environment, job: Job, settings: Settings) -> dict[str, Ask]:
    """The periodic health check by what the environment names of it: timer (TimerFacts), cron (CronFacts), log
    (WrittenLog)."""
    words = (settings["succeeded"], settings["failed"])
    asked: dict[str, probes.Question] = {}
    if job.timer:
        # A script that ends with `echo` ends well whatever it found: without a log, what it said counts.
        asked["timer"] = probes.Timer(job.timer, () if job.log else words)
    if job.cron:
        asked["cron"] = probes.Cron(job.cron)
    if job.log:
        asked["log"] = probes.WrittenLines(job.log, words)
    return {name: ask_host(environment.hosts[job.host], question) for name, question in asked.items()}
