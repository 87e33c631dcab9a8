"""Facts about hosts: one round trip for all that is asked of one.

`probe(host, questions, deadline)` sends one read-only POSIX script through testinfra's connection (local, ssh, docker,
podman, kubectl, openshift, lxc, chroot, ansible, salt) and returns a frozen fact, or a ProbeError, for each question.
`question` says how to add one.
"""

from __future__ import annotations

from opsverify.probes.host.access import AccessFacts, AccessLog, Client
from opsverify.probes.host.accounts import Account, AccountFacts, Accounts
from opsverify.probes.host.addresses import HostAddresses
from opsverify.probes.host.alerting import ScriptFacts, ScriptFile, SendAlert, SentAlert, drill_probe
from opsverify.probes.host.application import ApplicationFacts, ApplicationLog
from opsverify.probes.host.archives import Archive, ArchiveContents
from opsverify.probes.host.ask import archive_probe, audit_probe, probe
from opsverify.probes.host.audit import Audit, AuditReport
from opsverify.probes.host.builds import Build, Built
from opsverify.probes.host.calls import ApiCalls, CallFacts, Find, Peak
from opsverify.probes.host.commits import (
    BranchHead,
    Deployed,
    DeployedCommit,
    Intended,
    LocalChanges,
    NamedCommit,
    WorkingTree,
)
from opsverify.probes.host.complaints import Complaint, Complaints
from opsverify.probes.host.cpu import Cpu, CpuUsage
from opsverify.probes.host.dumps import DatabaseDumps, Dump, DumpListing
from opsverify.probes.host.files import Entry, FileListing, Listing
from opsverify.probes.host.filesystems import Filesystem, Filesystems
from opsverify.probes.host.first_steps import Excerpt
from opsverify.probes.host.folders import Ages, FolderContents, FolderFacts, FolderSize, FolderState, OldFiles
from opsverify.probes.host.journal import JournalErrors, JournalFacts
from opsverify.probes.host.log_state import LogState, LogStateFacts
from opsverify.probes.host.logins import Intruder, LoginFacts, SshLogins
from opsverify.probes.host.memory import Memory, MemoryUsage
from opsverify.probes.host.package import PackageVersion
from opsverify.probes.host.packages import Installation, InstalledPackages
from opsverify.probes.host.passwordpolicy import PasswordPolicy, PasswordPolicyFacts
from opsverify.probes.host.prisma import Generated, PrismaClient
from opsverify.probes.host.processes import EnvironmentFacts, ProcessEnvironment, ProcessExecutableVersion
from opsverify.probes.host.published import PublishedSecret, PublishedSecrets, PublishedSecretsFacts
from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.releases import Migration, MigrationListing, Migrations
from opsverify.probes.host.schedule import Cron, CronFacts, Timer, TimerFacts
from opsverify.probes.host.secret import DatabaseAddress, SecretStrength
from opsverify.probes.host.secretfiles import SecretFile, SecretFiles
from opsverify.probes.host.services import ProcessStatus, ServiceInstance, ServiceState, ServiceStatus
from opsverify.probes.host.sockets import Listening, ListeningSockets, ServiceListens, Socket
from opsverify.probes.host.ssh import close_connections
from opsverify.probes.host.stopped import NodeProcess, NodeProcesses
from opsverify.probes.host.system import OsFacts, OsRelease
from opsverify.probes.host.textfile import DocumentText, TextFile
from opsverify.probes.host.updates import PendingUpdate, PendingUpdates, UpdateFacts
from opsverify.probes.host.usage import ProcessResources, ProgramUsage
from opsverify.probes.host.versions import CommandVersion, Version
from opsverify.probes.host.window import Source, Window
from opsverify.probes.host.written import Line, WrittenLines, WrittenLog

__all__ = [
    "AccessFacts",
    "AccessLog",
    "Account",
    "AccountFacts",
    "Accounts",
    "Ages",
    "Answer",
    "ApiCalls",
    "ApplicationFacts",
    "ApplicationLog",
    "Archive",
    "ArchiveContents",
    "Audit",
    "AuditReport",
    "BranchHead",
    "Build",
    "Built",
    "CallFacts",
    "Client",
    "CommandVersion",
    "Complaint",
    "Complaints",
    "Cpu",
    "CpuUsage",
    "Cron",
    "CronFacts",
    "DatabaseAddress",
    "DatabaseDumps",
    "Deployed",
    "DeployedCommit",
    "DocumentText",
    "Dump",
    "DumpListing",
    "Entry",
    "EnvironmentFacts",
    "Excerpt",
    "FileListing",
    "Filesystem",
    "Filesystems",
    "Find",
    "FolderContents",
    "FolderFacts",
    "FolderSize",
    "FolderState",
    "Generated",
    "HostAddresses",
    "Installation",
    "InstalledPackages",
    "Intended",
    "Intruder",
    "JournalErrors",
    "JournalFacts",
    "Line",
    "Listening",
    "ListeningSockets",
    "Listing",
    "LocalChanges",
    "LogState",
    "LogStateFacts",
    "LoginFacts",
    "Memory",
    "MemoryUsage",
    "Migration",
    "MigrationListing",
    "Migrations",
    "NamedCommit",
    "NodeProcess",
    "NodeProcesses",
    "OldFiles",
    "OsFacts",
    "OsRelease",
    "PackageVersion",
    "PasswordPolicy",
    "PasswordPolicyFacts",
    "Peak",
    "PendingUpdate",
    "PendingUpdates",
    "PrismaClient",
    "ProcessEnvironment",
    "ProcessExecutableVersion",
    "ProcessResources",
    "ProcessStatus",
    "ProgramUsage",
    "PublishedSecret",
    "PublishedSecrets",
    "PublishedSecretsFacts",
    "Question",
    "ScriptFacts",
    "ScriptFile",
    "SecretFile",
    "SecretFiles",
    "SecretStrength",
    "SendAlert",
    "SentAlert",
    "ServiceInstance",
    "ServiceListens",
    "ServiceState",
    "ServiceStatus",
    "Socket",
    "Source",
    "SshLogins",
    "TextFile",
    "Timer",
    "TimerFacts",
    "UpdateFacts",
    "Version",
    "Window",
    "WorkingTree",
    "WrittenLines",
    "WrittenLog",
    "archive_probe",
    "audit_probe",
    "close_connections",
    "drill_probe",
    "probe",
]
