"""What can be known of a backup store."""

from __future__ import annotations

from opsverify.config.environment import BackupStore, Environment
from opsverify.drills.manifest import DumpManifest
from opsverify.drills.reference import contents_probe
from opsverify.drills.restore import RestoreDrill, restore_probe
from opsverify.drills.unpack import UnpackDrill, unpack_probe
from opsverify.evidence.query import Query
from opsverify.facts.hosts import host_query
from opsverify.facts.registry import Settings, fact
from opsverify.probes.host.files.archives import ArchiveContents
from opsverify.probes.host.files.dumps import DatabaseDumps
from opsverify.probes.host.files.folder_state import FolderState
from opsverify.probes.host.probe import archive_probe
from opsverify.probes.host.system.versions import CommandVersion
from opsverify.probes.postgres.contents import Contents
from opsverify.probes.postgres.probe import probe as postgres_probe
from opsverify.probes.postgres.server_version import ServerVersion


@fact("backups")
def dumps(environment: Environment, store: BackupStore, settings: Settings) -> Query:
    """The database dumps, newest first: DumpListing."""
    return host_query(environment.hosts[store.host], DatabaseDumps(store.path, store.database_pattern))


@fact("backups")
def archives(environment: Environment, store: BackupStore, settings: Settings) -> Query:
    """The application archives, newest first: DumpListing. None is opened: its format tells nothing of its end."""
    question = DatabaseDumps(store.path, store.application_pattern, look_at=0)
    return host_query(environment.hosts[store.host], question)


@fact("backups")
def backup_folder(environment: Environment, store: BackupStore, settings: Settings) -> Query:
    """The backup folder itself: its owner, its mode, and the room beside it: FolderFacts."""
    return host_query(environment.hosts[store.host], FolderState(store.path))


@fact("backups")
def newest_archive(environment: Environment, store: BackupStore, settings: Settings) -> Query:
    """The newest application archive, read to its end: Archive. Its own session: this may take minutes."""
    question = ArchiveContents(
        store.path, store.application_pattern, must_hold=store.must_hold, must_not_hold=store.must_not_hold
    )
    return Query(archive_probe, environment.hosts[store.host], question, store.archive_seconds)


@fact("backups")
def psql_program(environment: Environment, store: BackupStore, settings: Settings) -> Query:
    """psql on the host that makes the backups: Version."""
    host = environment.hosts[store.host]
    return host_query(host, CommandVersion("psql", host.search_path))


@fact("backups")
def dump_program(environment: Environment, store: BackupStore, settings: Settings) -> Query:
    """pg_dump on the host that makes the backups: Version."""
    host = environment.hosts[store.host]
    return host_query(host, CommandVersion("pg_dump", host.search_path))


@fact("backups")
def dumped_server(environment: Environment, store: BackupStore, settings: Settings) -> Query:
    """The version of the server that is dumped here: ServerVersionFacts."""
    return Query(postgres_probe, environment.databases[store.database], ServerVersion())


@fact("backups")
def restored(environment: Environment, store: BackupStore, settings: Settings) -> Query:
    """How restoring the newest dump on scratch resources went: drills.Restored."""
    question = RestoreDrill(store.path, store.database_pattern, store.scratch, settings["space_factor"])
    return Query(restore_probe, environment.hosts[store.host], question, store.drill_seconds)


@fact("backups", attempt=True)
def reference(environment: Environment, store: BackupStore, settings: Settings) -> Query:
    """An Attempt at what the dump should hold, as the live database or the manifest says: ContentsFacts."""
    if store.compare_with == "manifest":
        manifest = DumpManifest(store.path, store.database_pattern)
        return Query(restore_probe, environment.hosts[store.host], manifest, store.drill_seconds)
    database = environment.databases[store.database]
    return Query(contents_probe, database, Contents(), store.drill_seconds)


@fact("backups")
def unpacked(environment: Environment, store: BackupStore, settings: Settings) -> Query:
    """How unpacking the newest archive on scratch resources went: drills.Unpacked."""
    question = UnpackDrill(
        store.path, store.application_pattern, tuple(settings["must_hold"]), store.scratch, settings["space_factor"]
    )
    return Query(unpack_probe, environment.hosts[store.host], question, store.drill_seconds)
