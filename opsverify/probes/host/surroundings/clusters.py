"""PostgreSQL's clusters on a host."""

from __future__ import annotations

from dataclasses import dataclass

from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.surroundings.hidden import ended


@dataclass(frozen=True)
class Cluster:
    """A cluster, as Debian's tools list it."""

    version: str
    name: str
    port: int
    online: bool
    log: str


@dataclass(frozen=True)
class ClustersSeen:
    """`programs`: where servers are installed, of whichever distribution."""

    clusters: tuple[Cluster, ...]
    programs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clusters(Question):
    """The clusters of PostgreSQL. Privileges: none. Source: pg_lsclusters(1)."""

    shell = ShellFile(__package__, "clusters.sh")

    def parse(self, answer: Answer) -> ClustersSeen:
        ended(answer, "the clusters of PostgreSQL")
        listed = answer.block("clusters")
        found = []
        for line in listed.lines if listed else ():
            version, name, port, status, *rest = [*line.split(), "", "", "", ""]
            log = rest[2] if len(rest) > 2 else ""
            if port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536:
                found.append(Cluster(version, name, int(port), status.startswith("online"), log))
        programs = tuple(block.rest for block in answer.blocks() if block.name == "program")
        return ClustersSeen(tuple(found), programs)


__all__ = ["Cluster", "Clusters", "ClustersSeen"]
