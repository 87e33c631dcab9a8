"""Backups that are missing, old, cut, empty, open, of something else, or without room for the next."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal.faults.database import client
from rehearsal.faults.doing import age, ago, aside, kept, moded, rewrite
from rehearsal.faults.fault import ALERT, WARNING, fault
from rehearsal.faults.volumes import fail, fill, mounted, without_mounts

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal


def newest(whole: Rehearsal, pattern: str = "db_*.sql") -> Path:
    """The newest dump or archive."""
    return max(whole.backups.folder.glob(pattern))


@contextmanager
def newer(whole: Rehearsal) -> Iterator[tuple[Path, Path]]:
    """One more dump and archive, of a little while ago: spoiling them takes no day's backup away."""
    dump, archive = whole.backups.take(ago(minutes=10))
    yield dump, archive
    for path in (dump, archive, dump.with_name(f"{dump.name}.manifest.json")):
        path.unlink(missing_ok=True)


@fault(
    "The database was not dumped for three days.",
    {"backup-every-day[main]": ALERT, "database-backup-fresh[main]": ALERT, "restore-drill[main]": ALERT},
)
def dumps_not_taken(whole: Rehearsal) -> Iterator[None]:
    with aside(*sorted(whole.backups.folder.glob("db_*.sql"))[-3:]):
        yield


@fault(
    "The application was not archived for three days.",
    {"application-backup-fresh[main]": ALERT, "backup-every-day[main]": ALERT},
)
def archives_not_taken(whole: Rehearsal) -> Iterator[None]:
    with aside(*sorted(whole.backups.folder.glob("app_*.tar.gz"))[-3:]):
        yield


@fault("The newest dump was cut off.", {"database-backup-complete[main]": ALERT, "restore-drill[main]": ALERT})
def dump_truncated(whole: Rehearsal) -> Iterator[None]:
    dump = newest(whole)
    with kept(dump):
        rewrite(dump, dump.read_bytes()[: dump.stat().st_size * 4 // 5])
        yield


@fault("The newest dump is empty.", {"database-backup-complete[main]": ALERT, "restore-drill[main]": ALERT})
def dump_empty(whole: Rehearsal) -> Iterator[None]:
    with newer(whole) as (dump, _):
        rewrite(dump, b"")
        yield


@fault(
    "The newest dump is whole, and of an empty database.",
    {"database-backup-complete[main]": ALERT, "restore-drill[main]": ALERT},
)
def dump_of_nothing(whole: Rehearsal) -> Iterator[None]:
    dump = newest(whole)
    with kept(dump):
        rewrite(dump, client(whole, "pg_dump", database="postgres"))
        yield


@fault("A row of the newest dump is damaged.", {"restore-drill[main]": ALERT})
def dump_damaged(whole: Rehearsal) -> Iterator[None]:
    dump = newest(whole)
    with kept(dump):
        rewrite(dump, dump.read_bytes().replace(b"\ncat-001\t", b"\ncat-001\tone too many\t", 1))
        yield


@fault(
    "The newest archive was cut off.",
    {"application-backup-readable[main]": ALERT, "application-restore-drill[main]": ALERT},
)
def archive_cut(whole: Rehearsal) -> Iterator[None]:
    archive = newest(whole, "app_*.tar.gz")
    with kept(archive):
        rewrite(archive, archive.read_bytes()[:-200])
        yield


@fault(
    "The newest archive lacks the lock file.",
    {"application-restore-drill[main]": ALERT},
)
def archive_incomplete(whole: Rehearsal) -> Iterator[None]:
    archive = newest(whole, "app_*.tar.gz")
    with kept(archive):
        before = archive.with_suffix(".before")
        shutil.copy2(archive, before)
        with tarfile.open(before) as source, tarfile.open(archive, "w:gz") as made:
            for member in source:
                if not member.name.endswith("pnpm-lock.yaml"):
                    made.addfile(member, source.extractfile(member) if member.isfile() else None)
        shutil.copystat(before, archive)
        before.unlink()
        yield


@fault("One day's dump is missing.", {"backup-every-day[main]": ALERT})
def day_missing(whole: Rehearsal) -> Iterator[None]:
    with aside(sorted(whole.backups.folder.glob("db_*.sql"))[-6]):
        yield


@fault("An archive was never deleted.", {"backup-retention[main]": ALERT})
def backup_forgotten(whole: Rehearsal) -> Iterator[None]:
    forgotten = whole.backups.folder / "app_20250101_030000.tar.gz"
    shutil.copyfile(newest(whole, "app_*.tar.gz"), forgotten)
    forgotten.chmod(0o600)
    age(forgotten, 40)
    yield
    forgotten.unlink()


@fault("Everybody may read a dump, in a folder that everybody may enter.", {"backup-permissions[main]": ALERT})
def dump_open_to_all(whole: Rehearsal) -> Iterator[None]:
    with moded(whole.backups.folder, 0o755), moded(newest(whole), 0o644):
        yield


@fault("Everybody may read a dump, but not enter its folder.", {"backup-permissions[main]": WARNING})
def dump_mode_loose(whole: Rehearsal) -> Iterator[None]:
    with moded(newest(whole), 0o644):
        yield


@fault(
    "The backups' own volume is full.", {"backup-space[main]": ALERT, "disk-usage[here]": ALERT}, needs=without_mounts
)
def backup_volume_full(whole: Rehearsal) -> Iterator[None]:
    with _own_volume(whole):
        fill(whole.backups.folder)
        yield


@fault(
    "The backups' own volume has turned read-only after an error: the room on it is none.",
    {"backup-space[main]": ALERT, "read-only-filesystems[here]": ALERT},
    needs=without_mounts,
)
def backup_volume_read_only(whole: Rehearsal) -> Iterator[None]:
    with _own_volume(whole):
        fail(whole.backups.folder)
        yield


@contextmanager
def _own_volume(whole: Rehearsal) -> Iterator[None]:
    """The backups lie on a small file system of their own."""
    folder = whole.backups.folder
    copied = whole.layout.root / "backups.copied"
    shutil.copytree(folder, copied)
    size = sum(file.stat().st_size for file in copied.iterdir()) // 2**20 + 8
    with mounted(whole, folder, megabytes=size):
        for file in copied.iterdir():
            shutil.copy2(file, folder)
        yield
    shutil.rmtree(copied)
