"""What the sources said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from opsverify.config.environment import Host
from opsverify.discover.arguments import DatabaseSource
from opsverify.errors import ProbeError
from opsverify.probes.host.surroundings.backups import Backups, BackupsSeen
from opsverify.probes.host.surroundings.checkouts import Checkouts, CheckoutsSeen
from opsverify.probes.host.surroundings.clusters import Clusters, ClustersSeen
from opsverify.probes.host.surroundings.containers import Containers, ContainersSeen
from opsverify.probes.host.surroundings.crontabs import Crontabs, CrontabsSeen
from opsverify.probes.host.surroundings.logs import LogFiles, LogsSeen
from opsverify.probes.host.surroundings.nginx import Nginx, NginxSeen
from opsverify.probes.host.surroundings.processes import Processes, ProcessesSeen
from opsverify.probes.host.surroundings.units import Units, UnitsSeen
from opsverify.probes.http.redirect import RedirectFacts
from opsverify.probes.http.usual_paths import PathsSeen
from opsverify.probes.postgres.itself import ItselfFacts

QUESTIONS = (Units(), Processes(), Nginx(), Checkouts(), Crontabs(), Backups(), LogFiles(), Clusters(), Containers())
"""What is asked of a host."""

F = TypeVar("F")


@dataclass
class HostSeen:
    """What one host said. `lost`: why it said nothing at all."""

    host: Host
    answers: dict[Any, Any] = field(default_factory=dict)
    lost: str = ""

    def _fact(self, question: Any, otherwise: F) -> F:
        answer = self.answers.get(question)
        return otherwise if answer is None or isinstance(answer, ProbeError) else answer

    @property
    def units(self) -> UnitsSeen:
        return self._fact(Units(), UnitsSeen(False))

    @property
    def processes(self) -> ProcessesSeen:
        return self._fact(Processes(), ProcessesSeen((), ()))

    @property
    def nginx(self) -> NginxSeen:
        return self._fact(Nginx(), NginxSeen(False))

    @property
    def checkouts(self) -> CheckoutsSeen:
        return self._fact(Checkouts(), CheckoutsSeen(()))

    @property
    def crontabs(self) -> CrontabsSeen:
        return self._fact(Crontabs(), CrontabsSeen(()))

    @property
    def backups(self) -> BackupsSeen:
        return self._fact(Backups(), BackupsSeen(()))

    @property
    def logs(self) -> LogsSeen:
        return self._fact(LogFiles(), LogsSeen(()))

    @property
    def clusters(self) -> ClustersSeen:
        return self._fact(Clusters(), ClustersSeen(()))

    @property
    def containers(self) -> ContainersSeen:
        return self._fact(Containers(), ContainersSeen())

    def hidden(self, *questions: type[Any]) -> Iterator[str]:
        """What these questions could not see on the host, a few words each."""
        if self.lost:
            yield f"{self.host.name} ({self.lost})"
            return
        for kind in questions:
            answer = self.answers.get(kind())
            if isinstance(answer, ProbeError):
                yield f"{self.host.name}: {answer}"
            for what in getattr(answer, "hidden", ()):
                yield f"{what} on {self.host.name}"


@dataclass
class WebSeen:
    """What one address said."""

    url: str
    paths: PathsSeen | None = None
    redirect: RedirectFacts | None = None
    lost: str = ""


@dataclass
class DatabaseSeen:
    """What one database said."""

    source: DatabaseSource
    itself: ItselfFacts | None = None
    lost: str = ""


@dataclass
class Seen:
    """All of it."""

    hosts: list[HostSeen]
    webs: list[WebSeen]
    databases: list[DatabaseSeen]

    @property
    def nothing(self) -> bool:
        """Whether no source answered."""
        return len(self.lost) == len(self.hosts) + len(self.webs) + len(self.databases)

    @property
    def lost(self) -> list[str]:
        """The sources that could not be looked at, and why."""
        return [
            *(f"{one.host.connection}: {one.lost}" for one in self.hosts if one.lost),
            *(f"{one.url}: {one.lost}" for one in self.webs if one.lost),
            *(f"{one.source.written}: {one.lost}" for one in self.databases if one.lost),
        ]

    def hidden(self, *questions: type[Any]) -> list[str]:
        """What these questions could not see on any host."""
        return [what for host in self.hosts for what in host.hidden(*questions)]


__all__ = ["QUESTIONS", "DatabaseSeen", "HostSeen", "Seen", "WebSeen"]
