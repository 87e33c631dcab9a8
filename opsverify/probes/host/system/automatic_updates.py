"""Updates that a host installs by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from opsverify.errors import ProbeError
from opsverify.probes.host.files.listing import clock
from opsverify.probes.host.question import Answer, Block, Question, integer, moment, one_line
from opsverify.probes.host.shell_file import ShellFile


@dataclass(frozen=True)
class AutomaticUpdates:
    """Whether a host updates itself. Where it does not (`on`), the rest says nothing."""

    manager: str
    """apt, dnf; "none" where there is neither."""
    on: bool
    observed_at: datetime
    timers: tuple[str, ...] = ()
    """What is there to start them."""
    started: bool = False
    """Whether one of those runs."""
    last_success: datetime | None = None
    last_result: str = ""
    """systemd's word of the last run, dnf's only: "success", "exit-code"."""


@dataclass(frozen=True)
class UnattendedUpgrades(Question):
    """Whether unattended upgrades are switched on, are started, and when the last one ended well.

    apt: APT::Periodic::Unattended-Upgrade, whose stamp is set only after success; dnf: dnf-automatic with
    apply_updates, by its unit's result. Privileges: none. Source: unattended-upgrades' README, apt.systemd.daily
    ("update_stamp"), dnf-automatic(8), systemctl(1).
    """

    shell = ShellFile(__package__, "automatic_updates.sh")

    @property
    def title(self) -> str:
        return "whether updates are installed automatically"

    def parse(self, answer: Answer) -> AutomaticUpdates:
        manager = answer.block("manager")
        if manager is None or answer.block("end") is None:
            raise answer.failure(self.title)
        timers = [block.rest for block in answer.blocks() if block.name == "timer"]
        facts = AutomaticUpdates(
            manager.rest,
            on=False,
            observed_at=clock(answer),
            timers=tuple(timer.partition(" ")[0] for timer in timers),
            started=any("ActiveState=active" in timer for timer in timers),
        )
        if manager.rest == "apt":
            return self._apt(answer, facts)
        return self._dnf(answer, facts) if manager.rest == "dnf" else facts

    def _apt(self, answer: Answer, facts: AutomaticUpdates) -> AutomaticUpdates:
        lines = [block.rest for block in answer.blocks() if block.name == "setting"]
        # apt.conf(5): names of options know no case.
        found = re.findall(r'^apt::periodic::(\S+) "(.*)"$', "\n".join(lines), re.MULTILINE | re.IGNORECASE)
        settings = {name.lower(): value for name, value in found}
        unread = answer.block("unread")
        if unread is not None:
            raise ProbeError(f"{self.title} could not be determined: apt's {one_line(unread.rest)} may not be read")
        on = answer.block("program") is not None and _switched_on(settings.get("unattended-upgrade", "0"))
        done = answer.block("done")
        return replace(
            facts,
            on=on and settings.get("enable", "1") != "0",
            # The upgrade has a timer of its own; without systemd, anacron's daily run starts it.
            started=answer.block("anacron") is not None or _active(answer, "apt-daily-upgrade.timer"),
            last_success=_time(done),
        )

    def _dnf(self, answer: Answer, facts: AutomaticUpdates) -> AutomaticUpdates:
        apply = answer.block("apply")
        installs = any("install" in timer for timer in facts.timers)
        services = [block.rest for block in answer.blocks() if block.name == "service"]
        last = re.search(r"Result=(\S*) ExecMainExitTimestamp=@?(\d*)", " ".join(services))
        ended = moment(int(last[2]), "the last run") if last and last[2].isdecimal() and int(last[2]) else None
        return replace(
            facts,
            on=facts.started and (installs or (apply is not None and apply.rest.lower() in ("yes", "true", "1"))),
            last_success=ended if last and last[1] == "success" else None,
            last_result=last[1] if last and ended else "",
        )


def _switched_on(value: str) -> bool:
    """0 is off; a number is days, with a unit or without; `always` is on. Source: apt.systemd.daily, check_stamp."""
    return value == "always" or bool(re.match(r"0*[1-9]", value))


def _active(answer: Answer, name: str) -> bool:
    return any(
        block.rest.startswith(f"{name} ") and "ActiveState=active" in block.rest
        for block in answer.blocks()
        if block.name == "timer"
    )


def _time(block: Block | None) -> datetime | None:
    return moment(integer(block.rest, "the last upgrade"), "the last upgrade") if block else None


__all__ = ["AutomaticUpdates", "UnattendedUpgrades"]
