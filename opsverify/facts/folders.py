"""What can be known of a folder that weekly maintenance keeps in order."""

from __future__ import annotations

from typing import Any

from opsverify.config.environment import Environment, Folder
from opsverify.evidence.query import Query
from opsverify.facts.hosts import host_query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.host.files.dumps import DatabaseDumps
from opsverify.probes.host.files.folder_size import FolderSize
from opsverify.probes.host.files.old_files import OldFiles


def _holding(*contents: str) -> dict[str, Any]:
    """The folders that hold one of these, and what to say where there is none."""
    return {"where": lambda folder: folder.holds in contents, "missing": f"folder that holds {' or '.join(contents)}"}


def _older(environment: Environment, folder: Folder, settings: Settings, pattern: str) -> Query:
    hours = 24 * settings["max_age_days"] + settings["grace_hours"]
    return host_query(environment.hosts[folder.host], OldFiles(folder.path, pattern, hours))


@fact("folders", **_holding("weekly backups"))
def weekly_dumps(environment: Environment, folder: Folder, settings: Settings) -> Query:
    """The dumps of weekly maintenance, newest first: DumpListing."""
    return host_query(environment.hosts[folder.host], DatabaseDumps(folder.path, settings["pattern"]))


@fact("folders", **_holding("logs"))
def log_ages(environment: Environment, folder: Folder, settings: Settings) -> Query:
    """The log files, and those that have outlived their retention: Ages."""
    return _older(environment, folder, settings, settings["pattern"])


@fact("folders", **_holding("temporary files"))
def temporary_ages(environment: Environment, folder: Folder, settings: Settings) -> Query:
    """The temporary files, and those that should be gone: Ages."""
    return _older(environment, folder, settings, "*")


@fact("folders", **_holding("npm cache", "next cache"))
def cache(environment: Environment, folder: Folder, settings: Settings) -> Query:
    """How much a cache takes: FolderContents."""
    return host_query(environment.hosts[folder.host], FolderSize(folder.path))
