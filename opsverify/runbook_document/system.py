"""What is known of the system that a document's commands are meant for. Pure.

Three answers, not two: a thing is there, it is not, or NotKnown is raised with why nobody can tell.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.release.named_things import (
    ABSENT,
    HERE,
    Checkout,
    Found,
    NamedThingsFacts,
    Package,
    Search,
)

if TYPE_CHECKING:
    from opsverify.config.environment import Environment
    from opsverify.evidence.attempt import Attempt


class NotKnown(Exception):
    """Why it cannot be told: `reason` is what to say, and to raise."""

    def __init__(self, reason: ProbeError) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class System:
    """The hosts that were asked, by name, and what else an environment says.

    `unanswered`: why hosts, or databases, gave no answer, by name. `units`: the systemd unit of each role. `logs`: what
    each log file holds, "application" or "access". `scripts`: paths of scripts that the environment names.
    """

    hosts: Mapping[str, NamedThingsFacts] = field(default_factory=dict)
    unanswered: Mapping[str, ProbeError] = field(default_factory=dict)
    postgres: int | None = None
    """The oldest major version of its databases; None where it lists none."""
    postgres_unanswered: ProbeError | None = None
    production: bool = False
    units: Mapping[str, str] = field(default_factory=dict)
    logs: Mapping[str, str] = field(default_factory=dict)
    scripts: tuple[str, ...] = ()

    @property
    def checkouts(self) -> list[Checkout]:
        return [checkout for host in self.hosts.values() for checkout in host.checkouts if checkout.state == HERE]

    @property
    def held_against(self) -> str:
        """`hosts app1 and db`, for people."""
        names = list(self.hosts)
        return f"what is on {', '.join(names)}" if names else "no host"

    def can_look_for(self, path: str) -> bool:
        """Whether anybody can be asked for a path: for a relative one it takes a checkout."""
        has_checkout = any(host.checkouts for host in self.hosts.values())
        if self.unanswered and not (self.hosts if path.startswith("/") else has_checkout):
            self._all_answered()
        return bool(self.hosts) and (path.startswith("/") or any(host.checkouts for host in self.hosts.values()))

    def where(self, path: str) -> str:
        """`in /srv/mycats` or `on app1 and db`: where a path was looked for."""
        if path.startswith("/"):
            return f"on {' or '.join(self.hosts)}"
        return f"in {' or '.join(dict.fromkeys(c.path for h in self.hosts.values() for c in h.checkouts))}"

    def exists(self, path: str) -> str | None:
        """Where a path is: the first place that has it; None for nowhere. Raises NotKnown."""
        hidden = []
        asked = False
        for name, host in self.hosts.items():
            for place in _places(path, host):
                state = host.paths.get(place)
                asked = asked or state is not None
                if state == HERE:
                    return place
                if state not in (ABSENT, None):
                    hidden.append(f"{place} on {name}")
        self._all_answered()
        if hidden:
            raise NotKnown(
                MissingPrivilege(
                    f"whether there is {', '.join(hidden)}, which the runbook names, cannot be seen by this account: "
                    "let it enter that folder"
                )
            )
        if not asked:
            raise NotKnown(ProbeError(f"nobody was asked for {path}: the runbook was changed while it was read"))
        return None

    def has_any(self, places: Iterable[str]) -> bool:
        """Whether one of these paths is there. Raises NotKnown where that would be by one that nobody can see."""
        reason: NotKnown | None = None
        for place in places:
            try:
                if self.exists(place):
                    return True
            except NotKnown as error:
                reason = reason or error
        if reason is not None:
            raise reason
        return False

    def elsewhere(self, path: str) -> str | None:
        """A file of that name in another folder: of a checkout, or a script that the environment names."""
        name = posixpath.basename(path)
        known = [script for script in self.scripts if posixpath.basename(script) == name]
        known += [place for host in self.hosts.values() for p, place in host.elsewhere.items() if p == path]
        return next(iter(known), None)

    def has_unit(self, unit: str) -> bool:
        """Whether a host knows the systemd unit. Raises NotKnown."""
        states = [host.units.get(unit, ABSENT if not host.systemd else "") for host in self.hosts.values()]
        if HERE in states:
            return True
        self._all_answered()
        if any(state != ABSENT for state in states):
            raise NotKnown(ProbeError(f"systemd does not say whether there is a unit {unit}"))
        return False

    def packages(self) -> list[Package]:
        """Every package.json of the checkouts. Raises NotKnown where one may not be read."""
        self._all_answered()
        self._none_closed(path for checkout in self.checkouts for path in checkout.closed)
        return [package for checkout in self.checkouts for package in checkout.packages]

    def _none_closed(self, paths: Iterable[str] = ()) -> None:
        """Raises NotKnown where one of these paths, or a checkout, may not be read."""
        checkouts = (c.path for h in self.hosts.values() for c in h.checkouts if c.state not in (HERE, ABSENT))
        for path in (*paths, *checkouts):
            raise NotKnown(MissingPrivilege(f"{path} may not be read by this account: let its group read it"))

    @property
    def lock_files(self) -> set[str]:
        """Names of the lock files at the roots of checkouts. Raises NotKnown."""
        self._all_answered()
        self._none_closed()
        return {lock for checkout in self.checkouts for lock in checkout.locks}

    def postgres_major(self) -> int | None:
        """Raises NotKnown where a database did not say."""
        if self.postgres is None and self.postgres_unanswered is not None:
            raise NotKnown(self.postgres_unanswered)
        return self.postgres

    def search(self, log: str, options: str, pattern: str) -> Found | None:
        """What a search finds in a log; None where that could not be tried, which no finding follows from."""
        wanted = Search(log, options, pattern)
        return next((host.searches[wanted] for host in self.hosts.values() if wanted in host.searches), None)

    def log_of(self, path: str) -> str | None:
        """The log of the environment that a document means by a path."""
        if path in self.logs:
            return path
        tail = "/" + path.removeprefix("./").lstrip("/")
        return next((log for log in self.logs if log.endswith(tail)), None)

    def _all_answered(self) -> None:
        for reason in self.unanswered.values():
            raise NotKnown(reason)


def system_of(environment: Environment, answers: Mapping[str, Attempt]) -> System:
    """What an environment says, and what its hosts and databases answered: by `host x`, `database x`."""
    hosts: dict[str, NamedThingsFacts] = {}
    unanswered: dict[str, ProbeError] = {}
    majors: list[int] = []
    silent: ProbeError | None = None
    for name, attempt in answers.items():
        kind, _, target = name.partition(" ")
        if kind == "database":
            if attempt.error is None:
                majors.append(attempt.fact.major)
            silent = silent or attempt.error
        elif attempt.error is not None:
            unanswered[target] = attempt.error
        else:
            hosts[target] = attempt.fact
    services = environment.services.values()
    return System(
        hosts,
        unanswered,
        min(majors, default=None),
        silent,
        environment.node_env == "production",
        {service.role: service.unit for service in reversed(list(services)) if service.unit is not None},
        {log.path: log.holds for log in environment.logs.values() if log.path is not None},
        tuple(alert.script for alert in environment.alerts.values()),
    )


def _places(path: str, host: NamedThingsFacts) -> Iterator[str]:
    if path.startswith("/"):
        yield path
    for checkout in () if path.startswith("/") else host.checkouts:
        yield f"{checkout.path}/{path}"


__all__ = ["NotKnown", "System", "system_of"]
