"""What can be known of a folder that weekly maintenance keeps in order."""

from __future__ import annotations

from typing import Any

from opsverify.environment import Environment, Folder
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import host as probes
from opsverify.vocabulary.hosts import ask_host


def _holding(*contents: str) -> dict[str, Any]:
    """The folders that hold one of these, and what to say where there is none."""
    return {"where": lambda folder: folder.holds in contents, "missing": f"folder that holds {' or '.join(contents)}"}


def _older(environment: Environment, folder: Folder, settings: Settings, pattern: str) -> Ask:
    hours = 24 * settings["max_age_days"] + settings["grace_hours"]
    return ask_host(environment.hosts[folder.host], probes.OldFiles(folder.path, pattern, hours))


@noun("folders", **_holding("weekly backups"))
def weekly_dumps(environment: Environment, folder: Folder, settings: Settings) -> Ask:
    """The dumps of weekly maintenance, newest first: DumpListing."""
    return ask_host(environment.hosts[folder.host], probes.DatabaseDumps(folder.path, settings["pattern"]))


@noun("folders", **_holding("logs"))
def log_ages(environment: Environment, folder: Folder, settings: Settings) -> Ask:
    """The log files, and those that have outlived their retention: Ages."""
    return _older(environment, folder, settings, settings["pattern"])


@noun("folders", **_holding("temporary files"))
def temporary_ages(environment: Environment, folder: Folder, settings: Settings) -> Ask:
    """The temporary files, and those that should be gone: Ages."""
    return _older(environment, folder, settings, "*")


@noun("folders", **_holding("npm cache", "next cache"))
def cache(environment: Environment, folder: Folder, settings: Settings) -> Ask:
    """How much a cache takes: FolderContents."""
    return ask_host(environment.hosts[folder.host], probes.FolderSize(folder.path))
