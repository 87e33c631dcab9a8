"""Facts about hosts: one round trip for all that is asked of one.

`probe(host, questions, deadline)` sends one read-only POSIX script through testinfra's connection (local, ssh, docker,
podman, kubectl, openshift, lxc, chroot, ansible, salt) and returns a frozen fact, or a ProbeError, for each question.
`question` says how to add one.
"""

from __future__ import annotations

from opsverify.probes.host.ask import archive_probe, audit_probe, probe
from opsverify.probes.host.files.archives import Archive, ArchiveContents
from opsverify.probes.host.files.dumps import DatabaseDumps, Dump, DumpListing
from opsverify.probes.host.files.folders import Ages, FolderContents, FolderFacts, FolderSize, FolderState, OldFiles
from opsverify.probes.host.files.listing import Entry, FileListing, Listing
from opsverify.probes.host.files.text_file import DocumentText, TextFile
from opsverify.probes.host.first_steps import Excerpt
from opsverify.probes.host.logs.access import AccessFacts, AccessLog, Client
from opsverify.probes.host.logs.application import ApplicationFacts, ApplicationLog
from opsverify.probes.host.logs.calls import ApiCalls, CallFacts, Find, Peak
from opsverify.probes.host.logs.complaints import Complaint, Complaints
from opsverify.probes.host.logs.journal import JournalErrors, JournalFacts
from opsverify.probes.host.logs.log_state import LogState, LogStateFacts
from opsverify.probes.host.logs.logins import Intruder, LoginFacts, SshLogins
from opsverify.probes.host.logs.window import Source, Window
from opsverify.probes.host.logs.written import Line, WrittenLines, WrittenLog
from opsverify.probes.host.question import Answer, Question
from opsverify.probes.host.release.audit import Audit, AuditReport
from opsverify.probes.host.release.builds import Build, Built
from opsverify.probes.host.release.commits import (
    BranchHead,
    Deployed,
    DeployedCommit,
    Intended,
    LocalChanges,
    NamedCommit,
    WorkingTree,
)
from opsverify.probes.host.release.installed_packages import Installation, InstalledPackages
from opsverify.probes.host.release.migrations import Migration, MigrationListing, Migrations
from opsverify.probes.host.release.package_version import PackageVersion
from opsverify.probes.host.release.prisma import Generated, PrismaClient
from opsverify.probes.host.release.published import PublishedSecret, PublishedSecrets, PublishedSecretsFacts
from opsverify.probes.host.ssh import close_connections
from opsverify.probes.host.system.accounts import Account, AccountFacts, Accounts
from opsverify.probes.host.system.addresses import HostAddresses
from opsverify.probes.host.system.alerting import ScriptFacts, ScriptFile, SendAlert, SentAlert, drill_probe
from opsverify.probes.host.system.cpu import Cpu, CpuUsage
from opsverify.probes.host.system.filesystems import Filesystem, Filesystems
from opsverify.probes.host.system.memory import Memory, MemoryUsage
from opsverify.probes.host.system.operating_system import OsFacts, OsRelease
from opsverify.probes.host.system.password_policy import PasswordPolicy, PasswordPolicyFacts
from opsverify.probes.host.system.processes import EnvironmentFacts, ProcessEnvironment, ProcessExecutableVersion
from opsverify.probes.host.system.schedule import Cron, CronFacts, Timer, TimerFacts
from opsverify.probes.host.system.secret import DatabaseAddress, SecretStrength
from opsverify.probes.host.system.secret_files import SecretFile, SecretFiles, SecretsKept
from opsverify.probes.host.system.services import ProcessStatus, ServiceInstance, ServiceState, ServiceStatus
from opsverify.probes.host.system.sockets import Listening, ListeningSockets, ServiceListens, Socket
from opsverify.probes.host.system.stopped import NodeProcess, NodeProcesses
from opsverify.probes.host.system.updates import PendingUpdate, PendingUpdates, UpdateFacts
from opsverify.probes.host.system.usage import ProcessResources, ProgramUsage
from opsverify.probes.host.system.versions import CommandVersion, Version

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
    "SecretsKept",
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
