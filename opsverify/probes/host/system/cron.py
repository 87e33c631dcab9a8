"""Entries of crontabs."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.host.question import Answer, Question, one_line
from opsverify.probes.host.shell_file import AwkFunctions, ShellFile


@dataclass(frozen=True)
class CronFacts:
    """Where a crontab entry stands, and whether anything runs it."""

    text: str
    places: tuple[str, ...]
    """Files, or `crontab of <account>`, that hold it in a line that is no comment; scripts in /etc/cron.daily, …"""
    hidden: tuple[str, ...] = ()
    """Places that this account may not look into."""
    refused: tuple[str, ...] = ()
    """Places that hold it, and that cron leaves alone, with the reason: "/etc/cron.d/my.job: its name …"."""
    daemon: bool | None = None
    """Whether a cron daemon, or what stands in for one, runs; None where this account cannot see that."""


@dataclass(frozen=True)
class Cron(Question):
    """Whether a crontab has a line that holds `text`; the line itself stays there, it may hold a secret.

    Looks into /etc/crontab, /etc/cron.d, /etc/cron.hourly and such, /etc/anacrontab, the account's own crontab, and
    those of all others where that is permitted (root). Privileges: none but for the last. Source: crontab(5), Debian's
    cron(8) for what it leaves alone, run-parts(8) --test.
    """

    text: str

    shell = ShellFile(__package__, "cron.sh")
    helpers = (AwkFunctions(__package__, "crontab.awk"),)

    @property
    def title(self) -> str:
        return f"the cron job {self.text}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.text,)

    def parse(self, answer: Answer) -> CronFacts:
        if answer.block("end") is None:
            raise answer.failure(self.title, "it ended early")
        blocks = answer.blocks()
        daemon = answer.block("daemon")
        return CronFacts(
            self.text,
            places=tuple(one_line(block.rest) for block in blocks if block.name == "place"),
            hidden=tuple(one_line(block.rest) for block in blocks if block.name == "hidden"),
            refused=tuple(one_line(block.rest) for block in blocks if block.name == "refused"),
            daemon={"running": True, "stopped": False}.get(daemon.rest) if daemon else None,
        )


__all__ = ["Cron", "CronFacts"]
