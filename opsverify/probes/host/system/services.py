"""Services: systemd units, containers, and processes known by a pid file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from opsverify.errors import ProbeError
from opsverify.probes.host.question import Answer, decimal, integer, moment, one_line
from opsverify.probes.host.service import ServiceQuestion
from opsverify.probes.host.shell import ENGINE, JOURNAL, MAIN_PIDS, unit_name
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.system.container import ContainerFacts, container_facts

_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,NRestarts,MainPID,ActiveEnterTimestamp,"
    "ActiveEnterTimestampMonotonic,Result,FragmentPath,Type"
)

_ENABLED = ("enabled", "enabled-runtime", "alias")
"""systemctl(1), is-enabled; Debian's generator of PostgreSQL's instances enables them at runtime."""

_RESTART_SCHEDULED = "5eb03494b6584870a536b337290809b3"
"""systemd's sd-messages.h: SD_MESSAGE_UNIT_RESTART_SCHEDULED"""
_MOST_RESTARTS = 1000


@dataclass(frozen=True)
class ServiceInstance:
    """One systemd unit, in systemd's own words; times in UTC."""

    unit: str
    load_state: str
    active_state: str
    sub_state: str
    unit_file_state: str
    result: str
    type: str
    main_pid: int | None
    restarts: int | None
    """Automatic restarts since it was last started by hand; None where systemd is too old to count (before 235)."""
    active_since: datetime | None
    fragment_path: str

    @property
    def active(self) -> bool:
        """Whether it does what it is for: a wrapper or one-shot that has exited counts."""
        return self.active_state == "active"


@dataclass(frozen=True)
class ServiceStatus:
    """A service. With a unit: `main` and its `instances`; with a pid file: `process`; else its `container`."""

    name: str
    exists: bool
    """Whether there is such a unit, pid file or container."""
    running: bool
    """A unit: it is active, and so is every instance of it. A pid file: its process lives and is not a later one.
    A container: its engine says so."""
    main: ServiceInstance | None = None
    instances: tuple[ServiceInstance, ...] = ()
    process: ProcessStatus | None = None
    container: ContainerFacts | None = None
    observed_at: datetime | None = None
    recent_restarts: int | None = None
    """Automatic restarts of a unit and its instances in the window asked for; None where no journal tells."""
    recent_restarts_complete: bool = False
    """Whether these are all: the journal goes back that far, and holds the last restart that systemd knows of."""

    @property
    def hollow(self) -> bool:
        """Whether it is a wrapper or one-shot that has exited and has no instance: nothing of it runs."""
        return self.main is not None and self.main.sub_state == "exited" and not self.instances

    @property
    def restarts(self) -> int | None:
        """The most restarts since the last start by hand, of it or one of its instances; None where nothing counts."""
        counts = [one.restarts for one in (self.main, *self.instances) if one and one.restarts is not None]
        return max(counts, default=None)

    @property
    def last_restart(self) -> datetime | None:
        """When what was restarted last came up again; None where nothing was restarted."""
        times = [one.active_since for one in (self.main, *self.instances) if one and one.restarts and one.active_since]
        return max(times, default=None)

    @property
    def enabled(self) -> bool | None:
        """Whether it starts at boot; None without a unit. Of a wrapper, every instance that runs must start, too."""
        if self.main is None:
            return None
        if self.main.load_state == "not-found":  # there are its instances only
            return all(one.unit_file_state in _ENABLED for one in self.instances)
        what_runs = [one for one in self.instances if one.active] if self.main.sub_state == "exited" else []
        return all(one.unit_file_state in _ENABLED for one in (self.main, *what_runs))


@dataclass(frozen=True)
class ProcessStatus:
    """The process that a pid file names. `command` is its first two arguments at most: more might hold a secret."""

    pid: int
    alive: bool
    stale: bool
    """It started after the pid file was written: the number was given to somebody else."""
    started_at: datetime | None = None
    name: str = ""
    executable: str | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceState(ServiceQuestion):
    """Whether a service is there, runs, since when, and how often it was restarted in the last `window_minutes`.

    A unit's template instances (`postgresql@*`) are reported with it: Debian's `postgresql.service` is "active
    (exited)" whatever its clusters do. Privileges: none; a process's executable needs the same
    user or root and is None without, recent restarts need the journal (group systemd-journal), and a container
    needs what `ContainerState` does. Source: systemctl(1) show, org.freedesktop.systemd1(5), proc_pid_stat(5),
    journalctl(1).
    """

    window_minutes: int = 60

    shell = ShellFile(__package__, "services.sh")
    helpers = (ENGINE, MAIN_PIDS, JOURNAL)

    @property
    def title(self) -> str:
        return f"service {self.service}"

    @property
    def arguments(self) -> tuple[str, ...]:
        place = self.service_arguments
        bounds = str(self.window_minutes), str(_MOST_RESTARTS)
        return place[0], _PROPERTIES, *bounds, _RESTART_SCHEDULED, *place[1:]

    def parse(self, answer: Answer) -> ServiceStatus:
        if self.container is not None:
            facts = container_facts(self.title, self.container, answer)
            return ServiceStatus(self.service, facts.exists, facts.running, container=facts, observed_at=_now(answer))
        return self._unit(answer) if self.unit is not None else self._process(answer)

    def _unit(self, answer: Answer) -> ServiceStatus:
        if answer.block("nosystemd"):
            raise ProbeError(f"{self.title} could not be determined: the host has no systemd")
        block, clock = answer.block("units"), answer.block("clock")
        parts = [_instance(part, clock.rest if clock else "") for part in _paragraphs(block.lines if block else [])]
        if answer.status != 0 or not parts:
            raise answer.failure(self.title, "systemctl said nothing")
        full = unit_name(self.unit or "")
        # An alias answers under its real name, so the first is it, whatever its Id.
        main, instances = parts[0], tuple(one for one in parts[1:] if one.load_state != "not-found")
        if main.unit != full and any(one.unit == full for one in parts):
            raise ProbeError(f"{self.title} could not be determined: systemctl answered for {one_line(main.unit, 60)}")
        exists = main.load_state not in ("not-found", "bad-setting", "error") or bool(instances)
        main_is_well = main.active or (main.load_state == "not-found" and bool(instances))
        running = exists and main_is_well and all(one.active for one in instances)
        status = ServiceStatus(full, exists, running, main, instances, observed_at=_now(answer))
        return self._with_restarts(status, answer)

    def _with_restarts(self, status: ServiceStatus, answer: Answer) -> ServiceStatus:
        clock = answer.block("clock")
        uptime = clock.rest.partition(" ")[2] if clock else ""
        if status.restarts is not None and uptime and decimal(uptime, "the uptime") < 60 * self.window_minutes:
            # All that systemd counts is recent, journal or not.
            return replace(status, recent_restarts=status.restarts, recent_restarts_complete=True)
        recent, since, oldest = (_number(answer, name) for name in ("restarted", "window", "oldest"))
        if recent is None or since is None:
            return status
        # A journal that keeps no such entries (MaxLevelStore=) has not the last one either.
        knows_the_last = recent > 0 or status.last_restart is None or status.last_restart.timestamp() < since
        complete = knows_the_last and oldest is not None and oldest <= since
        return replace(status, recent_restarts=recent, recent_restarts_complete=complete)

    def _process(self, answer: Answer) -> ServiceStatus:
        name = self.pid_file or ""
        missing = answer.block("missing")
        if missing:
            if "ermission denied" in missing.rest:
                raise Answer(b"", errors=missing.rest).failure(self.title)
            return ServiceStatus(name, exists=False, running=False, observed_at=_now(answer))
        pid_block = answer.block("pid")
        if answer.status != 0 or pid_block is None:
            raise answer.failure(self.title)
        if not pid_block.rest:
            raise ProbeError(f"{self.title} could not be determined: {name} holds no process id on its first line")
        pid = integer(pid_block.rest, "the process id")
        stat = answer.block("stat")
        fields = stat.lines[0].rpartition(") ")[2].split() if stat and stat.lines else []
        if len(fields) < 20:
            return ServiceStatus(name, True, False, process=ProcessStatus(pid, False, False), observed_at=_now(answer))
        boot, ticks, written = (_number(answer, key) for key in ("boot", "ticks", "written"))
        started = None
        if boot is not None and ticks:
            started = moment(boot + integer(fields[19], "the start time") / ticks, "the start time")
        stale = started is not None and written is not None and started.timestamp() > written + 2
        exe, command = answer.block("exe"), answer.block("command")
        text = stat.lines[0] if stat else ""
        process = ProcessStatus(
            pid=pid,
            alive=fields[0] not in ("Z", "X"),
            stale=stale,
            started_at=started,
            name=text[text.find("(") + 1 : text.rfind(") ")],
            executable=exe.lines[0] if exe and exe.lines else None,
            command=tuple(one_line(line) for line in command.lines[:2]) if command else (),
        )
        running = process.alive and not stale
        return ServiceStatus(name, True, running, process=process, observed_at=_now(answer))


def _now(answer: Answer) -> datetime | None:
    clock = answer.block("clock")
    first = clock.rest.split(" ")[0] if clock else ""
    return moment(int(first), "the host's clock") if first.isdecimal() and len(first) < 12 else None


def _number(answer: Answer, name: str) -> int | None:
    block = answer.block(name)
    return integer(block.rest, name) if block and block.rest else None


def _paragraphs(lines: list[str]) -> list[dict[str, str]]:
    paragraphs: list[dict[str, str]] = [{}]
    for line in lines:
        key, separator, value = line.partition("=")
        if separator:
            paragraphs[-1].setdefault(key, value)
        elif paragraphs[-1]:
            paragraphs.append({})
    return [part for part in paragraphs if part]


def _instance(values: dict[str, str], clock: str) -> ServiceInstance:
    unit = values.get("Id", "")
    if not unit or "ActiveState" not in values:
        raise ProbeError("the state of a unit could not be determined: systemctl left it out")
    pid = integer(values.get("MainPID", "0"), f"the main process of {unit}")
    restarts = values.get("NRestarts")
    return ServiceInstance(
        unit=unit,
        load_state=values.get("LoadState", ""),
        active_state=values["ActiveState"],
        sub_state=values.get("SubState", ""),
        unit_file_state=values.get("UnitFileState", ""),
        result=values.get("Result", ""),
        type=values.get("Type", ""),
        main_pid=pid or None,
        restarts=integer(restarts, f"the restarts of {unit}") if restarts else None,
        active_since=_since(values, clock),
        fragment_path=values.get("FragmentPath", ""),
    )


def _since(values: dict[str, str], clock: str) -> datetime | None:
    stamp = values.get("ActiveEnterTimestamp", "")
    if stamp.startswith("@"):
        seconds = integer(stamp[1:].partition(".")[0], "ActiveEnterTimestamp")
        return moment(seconds, "ActiveEnterTimestamp") if seconds else None
    monotonic = values.get("ActiveEnterTimestampMonotonic", "")
    parts = clock.split(" ")
    if not monotonic or monotonic == "0" or len(parts) != 2 or not parts[0].isdecimal():
        return None
    try:
        uptime = float(parts[1])
    except ValueError:
        return None
    since_boot = integer(monotonic, "ActiveEnterTimestampMonotonic") / 1e6
    return moment(int(parts[0]) - uptime + since_boot, "ActiveEnterTimestamp")


__all__ = ["ProcessStatus", "ServiceInstance", "ServiceState", "ServiceStatus"]
