"""What faults are made of: files changed and put back, backends run otherwise, users who come in vain."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal.layout import SLOTS_APART_SECONDS

if TYPE_CHECKING:
    from rehearsal.parts.backend import Backend
    from rehearsal.whole import Rehearsal

DAY = 86400.0
USER_SECONDS = 8.0


def ago(**much: float) -> datetime:
    """A moment so long ago, in local time: `ago(hours=2)`."""
    return datetime.now().astimezone() - timedelta(**much)


@contextlib.contextmanager
def kept(*paths: Path) -> Iterator[None]:
    """Files may be changed, removed or made meanwhile, and are put back with their modes and times."""
    before = {path: (path.read_bytes(), path.stat()) if path.exists() else None for path in paths}
    try:
        yield
    finally:
        for path, original in before.items():
            if original is None:
                path.unlink(missing_ok=True)
                continue
            content, status = original
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)  # the same file, where it is still there: who writes to it goes on doing so
            path.chmod(status.st_mode & 0o7777)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@contextlib.contextmanager
def aside(*paths: Path) -> Iterator[None]:
    """Files and folders are not where they were, and whatever stands in for them meanwhile is dropped."""
    moved = [(path, path.rename(path.with_name(f"{path.name}.aside"))) for path in paths]
    try:
        yield
    finally:
        for path, elsewhere in moved:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            elsewhere.rename(path)


@contextlib.contextmanager
def edited(path: Path, change: Callable[[str], str]) -> Iterator[None]:
    """A file's text is changed; raises ValueError where the change changes nothing."""
    before = path.read_text(encoding="utf-8")
    after = change(before)
    if after == before:
        raise ValueError(f"{path} holds nothing that this would change")
    with kept(path):
        path.write_text(after, encoding="utf-8")
        yield


@contextlib.contextmanager
def appended(path: Path, text: str) -> Iterator[None]:
    """Lines are added to a file."""
    with kept(path):
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
        yield


@contextlib.contextmanager
def holding(path: Path, text: str) -> Iterator[None]:
    """A file holds something else."""
    with kept(path):
        path.write_text(text, encoding="utf-8")
        yield


@contextlib.contextmanager
def moded(path: Path, mode: int) -> Iterator[None]:
    """A file or folder has another mode."""
    before = path.stat().st_mode & 0o7777
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


@contextlib.contextmanager
def dated(path: Path, when: datetime) -> Iterator[None]:
    """A file is from another time."""
    status = path.stat()
    os.utime(path, (when.timestamp(), when.timestamp()))
    try:
        yield
    finally:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def age(path: Path, days: float) -> None:
    """Let a file have been changed last so many days ago."""
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def rewrite(path: Path, content: bytes) -> None:
    """Change a file that stays as old as it was."""
    stamp = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(stamp, stamp))


@contextlib.contextmanager
def program(whole: Rehearsal, name: str, script: str) -> Iterator[Path]:
    """A program is installed where the host looks first."""
    path = whole.layout.programs / name
    with kept(path):
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        yield path


@contextlib.contextmanager
def backend(whole: Rehearsal, slot: str = "blue", **changes: str | None) -> Iterator[None]:
    """A backend runs with other variables; None takes one away, from its dotenv file, too."""
    one, env_file = whole.backends[slot], whole.layout.env_file
    before = one.env
    with kept(env_file):
        if None in changes.values():
            lines = env_file.read_text().splitlines(keepends=True)
            env_file.write_text("".join(line for line in lines if changes.get(line.partition("=")[0], "") is not None))
        # On top of what other faults have changed.
        one.env = {name: value for name, value in {**before, **changes}.items() if value is not None}
        _restart(one)
        try:
            yield
        finally:
            one.env = before
            _restart(one)


def _restart(one: Backend) -> None:
    # Another fault may just have restarted the other slot's.
    time.sleep(SLOTS_APART_SECONDS)
    one.restart()


def users_come(whole: Rehearsal, path: str = "/api/v1/pedigrees", requests: int = 4) -> None:
    """Users ask the public address, all at once, and get whatever they get: it stands in the logs.

    What a run's own requests leave there is read by some of its checks, or too late: chance, without users.
    """
    headers = {"Authorization": f"Bearer {whole.variables()['REHEARSAL_API_TOKEN']}"}
    anything = ssl._create_unverified_context()

    def ask(_: int) -> None:
        asked = urllib.request.Request(f"{whole.proxy.url}{path}", headers=headers)
        with contextlib.suppress(OSError), urllib.request.urlopen(asked, timeout=USER_SECONDS, context=anything):
            pass

    with ThreadPoolExecutor(requests) as pool:
        list(pool.map(ask, range(requests)))


# --- lines of logs, as those who write them write them ---------------------------------------------------------------


def hit(when: datetime, path: str = "/", status: int = 200, client: str = "192.0.2.10", forwarded: str = "-") -> str:
    """A line of the access log, in nginx's combined format with X-Forwarded-For."""
    return f'{client} - - [{when:%d/%b/%Y:%H:%M:%S %z}] "GET {path} HTTP/1.1" {status} 20 "-" "x" "{forwarded}"\n'


def pino(when: datetime, level: object, message: str, **fields: object) -> str:
    """A line of the application's log, as pino writes it."""
    entry = {"level": level, "time": int(when.timestamp() * 1000), "message": message, **fields}
    return json.dumps(entry, separators=(",", ":")) + "\n"


def sshd(when: datetime, message: str, process: int = 77) -> str:
    """A line of sshd's in auth.log."""
    return f"{when:%b} {when.day:2d} {when:%H:%M:%S} mycats-app sshd[{process}]: {message}\n"
