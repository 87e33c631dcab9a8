"""Whether something disciplines a host's clock."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.errors import NotApplicable, ProbeError
from opsverify.probes.host.files.listing import clock
from opsverify.probes.host.question import Answer, Question, decimal, one_line
from opsverify.probes.host.shell_file import ShellFile

SILENT_SECONDS = 8 * 1024
"""Without a measurement for so long, no source answers: RFC 5905's reach register forgets one after eight polls, and a
poll comes every 1,024 s at the latest, unless maxpoll says otherwise (chrony.conf(5))."""
_NAMES = {"systemd-timesyn": "systemd-timesyncd"}  # the kernel keeps 15 characters of a name


@dataclass(frozen=True)
class TimeService:
    """What runs to keep a host's clock, and whether it does."""

    services: tuple[str, ...]
    """Time services that run: systemd-timesyncd, chronyd, ntpd (ntpsec's and OpenNTPD's, too), ptp4l …"""
    synchronised: bool
    word_of: str
    """Who says so: "the kernel", "chrony", "ntpd", "OpenNTPD"; where it hears no source, for how long."""


@dataclass(frozen=True)
class TimeSynchronisation(Question):
    """Which time service runs, and whether the clock is synchronised, by the service's own word, else by the kernel's.

    A container has its machine's clock: NotApplicable. chronyd's leap status stays "Normal" when it has lost every
    source: its last measurement counts as well. Privileges: none, unless /proc is mounted with hidepid.
    Source: timedatectl(1), NTPSynchronized; adjtimex(2), STA_UNSYNC; chronyc(1), tracking: reference time (4th field),
    update interval (13th) and leap status (14th); ntpq(8), leap_alarm; ntpctl(8).
    """

    shell = ShellFile(__package__, "time_service.sh")

    @property
    def title(self) -> str:
        return "whether the clock is synchronised"

    def parse(self, answer: Answer) -> TimeService:
        container = answer.block("container")
        if container:
            raise NotApplicable(f"a container ({one_line(container.rest, 40)}) has the clock of its machine")
        running = answer.block("services")
        if running is None or answer.block("end") is None:
            raise answer.failure(self.title)
        services = tuple(_NAMES.get(name, name) for name in running.lines if name)
        word_of, synchronised = self._word(answer, services)
        return TimeService(services, synchronised, word_of)

    def _word(self, answer: Answer, services: tuple[str, ...]) -> tuple[str, bool]:
        names = ("chrony", "ntp", "openntpd", "synchronized")
        said = {name: block.rest for name in names if (block := answer.block(name))}
        if "chrony" in said and "chronyd" in services:
            fields = said["chrony"].split(",")
            if len(fields) < 14:
                raise ProbeError(f"{self.title} could not be determined: chronyc's tracking has {len(fields)} fields")
            age = clock(answer).timestamp() - decimal(fields[3], "chrony's reference time")
            normal = fields[13] in ("Normal", "Insert second", "Delete second")
            if normal and age > max(SILENT_SECONDS, 8 * decimal(fields[12], "chrony's update interval")):
                return f"chrony, which measured nothing for {age / 3600:.0f} h", False
            return "chrony", normal
        if "openntpd" in said and "ntpd" in services:
            return "OpenNTPD", said["openntpd"] == "synced"
        if "ntp" in said and "ntpd" in services:
            return "ntpd", said["ntp"] not in ("leap_alarm", "11", "3")
        if "synchronized" in said:
            return "the kernel", said["synchronized"] == "yes"
        if not services:
            return "", False  # nothing keeps it, whatever the clock was set by
        raise ProbeError(
            f"{self.title} could not be determined: the host has no timedatectl, and {services[0]} said nothing"
        )


__all__ = ["TimeService", "TimeSynchronisation"]
