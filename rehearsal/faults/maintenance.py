"""Weekly maintenance that did not happen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal.faults.doing import age, kept
from rehearsal.faults.fault import ALERT, fault

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal


def _with(path: Path, days: float, content: bytes = b"x") -> Iterator[None]:
    path.write_bytes(content)
    age(path, days)
    yield
    path.unlink()


@fault("A log file is older than 30 days.", {"old-logs-removed[logs]": ALERT})
def old_log_kept(whole: Rehearsal) -> Iterator[None]:
    yield from _with(whole.layout.checkout / "logs/old.log", 33)


@fault("A temporary file is older than a week.", {"temp-files-removed[temporary]": ALERT})
def temporary_file_kept(whole: Rehearsal) -> Iterator[None]:
    yield from _with(whole.layout.checkout / "temp/upload-0.tmp", 9)


@fault(
    "A cache has grown beyond its bound, lowered here: a gigabyte is too much to write.",
    {"cache-size[npm-cache]": ALERT},
    changes={"checks": {"cache-size": {"settings": {"npm_megabytes": 2}}}},
)
def cache_too_large(whole: Rehearsal) -> Iterator[None]:
    yield from _with(whole.layout.npm_cache / "big", 0, bytes(3_000_000))


@fault("The weekly dump is eight days old.", {"weekly-backup[weekly-backups]": ALERT})
def weekly_dump_old(whole: Rehearsal) -> Iterator[None]:
    (dump,) = whole.layout.weekly_backups.glob("mycats_*.sql")
    with kept(dump):
        age(dump, 8)
        yield


@fault("The weekly dump was cut off.", {"weekly-backup[weekly-backups]": ALERT})
def weekly_dump_truncated(whole: Rehearsal) -> Iterator[None]:
    (dump,) = whole.layout.weekly_backups.glob("mycats_*.sql")
    with kept(dump):
        content = dump.read_bytes()
        dump.write_bytes(content[: len(content) // 2])
        age(dump, 3)
        yield
