"""Facts about hosts: one round trip for all that is asked of one.

`probe(host, questions, deadline)` sends one read-only POSIX script through testinfra's connection (local, ssh, docker,
podman, kubectl, openshift, lxc, chroot, ansible, salt) and returns a frozen fact, or a ProbeError, for each question.
`question` says how to add one.
"""

from __future__ import annotations

from opsverify.probes.host.archives import Archive, ArchiveContents
from opsverify.probes.host.ask import archive_probe, probe
from opsverify.probes.host.cpu import Cpu, CpuUsage
from opsverify.probes.host.dumps import DatabaseDumps, Dump, DumpListing
from opsverify.probes.host.files import Entry, FileListing, Listing
from opsverify.probes.host.filesystems import Filesystem, Filesystems
from opsverify.probes.host.memory import Memory, MemoryUsage
from opsverify.probes.host.processes import EnvironmentFacts, ProcessEnvironment, ProcessExecutableVersion
from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.releases import Migration, MigrationListing, Migrations
from opsverify.probes.host.secret import DatabaseAddress, SecretStrength
from opsverify.probes.host.services import ProcessStatus, ServiceInstance, ServiceState, ServiceStatus
from opsverify.probes.host.sockets import Listening, ListeningSockets, ServiceListens, Socket
from opsverify.probes.host.ssh import close_connections
from opsverify.probes.host.system import OsFacts, OsRelease
from opsverify.probes.host.versions import CommandVersion, Version

__all__ = [
    "Answer",
    "Archive",
    "ArchiveContents",
    "CommandVersion",
    "Cpu",
    "CpuUsage",
    "DatabaseAddress",
    "DatabaseDumps",
    "Dump",
    "DumpListing",
    "Entry",
    "EnvironmentFacts",
    "FileListing",
    "Filesystem",
    "Filesystems",
    "Listening",
    "ListeningSockets",
    "Listing",
    "Memory",
    "MemoryUsage",
    "Migration",
    "MigrationListing",
    "Migrations",
    "OsFacts",
    "OsRelease",
    "ProcessEnvironment",
    "ProcessExecutableVersion",
    "ProcessStatus",
    "Question",
    "SecretStrength",
    "ServiceInstance",
    "ServiceListens",
    "ServiceState",
    "ServiceStatus",
    "Socket",
    "Version",
    "archive_probe",
    "close_connections",
    "probe",
]
