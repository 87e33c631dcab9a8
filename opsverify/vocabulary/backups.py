"""What can be known of a backup store."""

from __future__ import annotations

from opsverify.environment import BackupStore, Environment
from opsverify.evidence import Ask
from opsverify.nouns import Settings, noun
from opsverify.probes import drills, postgres
from opsverify.probes import host as probes
from opsverify.vocabulary.hosts import ask_host


@noun("backups")
def dumps(environment: Environment, store: BackupStore, settings: Settings) -> Ask:
    """The database dumps, newest first: DumpListing."""
    return ask_host(environment.hosts[store.host], probes.DatabaseDumps(store.path, store.database_pattern))


@noun("backups")
def archives(environment: Environment, store: BackupStore, settings: Settings) -> Ask:
    """The application archives, newest first: DumpListing. None is opened: its format tells nothing of its end."""
    question = probes.DatabaseDumps(store.path, store.application_pattern, look_at=0)
    return ask_host(environment.hosts[store.host], question)


@noun("backups")
def backup_folder(environment: Environment, store: BackupStore, settings: Settings) -> Ask:
    """The backup folder itself: its owner, its mode, and the room beside it: FolderFacts."""
    return ask_host(environment.hosts[store.host], probes.FolderState(store.path))


@noun("backups")
def newest_archive(environment: Environment, store: BackupStore, settings: Settings) -> Ask:
    """The newest application archive, read to its end: Archive. Its own session: this may take minutes."""
    question = probes.ArchiveContents(
        store.path, store.application_pattern, must_hold=store.must_hold, must_not_hold=store.must_not_hold
    )
    return Ask(probes.archive_probe, environment.hosts[store.host], question, store.archive_seconds)


@noun("backups")
def psql_program(environment: Environment, store: BackupStore, settings: Settings) -> Ask:
    """psql on the host that makes the backups: Version."""
    host = environment.hosts[store.host]
    return ask_host(host, probes.CommandVersion("psql", host.search_path))


@noun("backups")
def dump_program(environment: Environment, store: BackupStore, settings: Settings) -> Ask:
    """pg_dump on the host that makes the backups: Version."""
    host = environment.hosts[store.host]
    return ask_host(host, probes.CommandVersion("pg_dump", host.search_path))


@noun("backups")
def dumped_server(environment: Environment, store: BackupStore, settings: Settings) -> Ask:
    """The version of the server that is dumped here: postgres.ServerVersionFacts."""
    return Ask(postgres.probe, environment.databases[store.database], postgres.ServerVersion())


@noun("backups")
def restored(environment: Environment, store: BackupStore, settings: Settings) -> Ask:
    """How restoring the newest dump on scratch resources went: drills.Restored."""
    question = drills.RestoreDrill(store.path, store.database_pattern, store.scratch, settings["space_factor"])
    return Ask(drills.restore_probe, environment.hosts[store.host], question, store.drill_seconds)


@noun("backups", attempt=True)
def reference(environment: Environment, store: BackupStore, settings: Settings) -> Ask:
    """An Attempt at what the dump should hold, as the live database or the manifest says: postgres.ContentsFacts."""
    if store.compare_with == "manifest":
        manifest = drills.DumpManifest(store.path, store.database_pattern)
        return Ask(drills.restore_probe, environment.hosts[store.host], manifest, store.drill_seconds)
    database = environment.databases[store.database]
    return Ask(drills.contents_probe, database, postgres.Contents(), store.drill_seconds)


@noun("backups")
def unpacked(environment: Environment, store: BackupStore, settings: Settings) -> Ask:
    """How unpacking the newest archive on scratch resources went: drills.Unpacked."""
    question = drills.UnpackDrill(
        store.path, store.application_pattern, tuple(settings["must_hold"]), store.scratch, settings["space_factor"]
    )
    return Ask(drills.unpack_probe, environment.hosts[store.host], question, store.drill_seconds)
