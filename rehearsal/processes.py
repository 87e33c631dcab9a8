"""The stand-in's processes: start one, wait for it, freeze it, stop it; find those of a dead rehearsal."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # ships no types

from rehearsal.errors import NotStarted, tail
from rehearsal.layout import Layout, elsewhere

READY_SECONDS = 20.0
STOP_SECONDS = 5.0
LEFTOVER_SECONDS = 3.0
PROGRAMS = frozenset({"node", "postgres", "psql", "pg_dump", "initdb", "unshare"})
"""Only these are ever taken for leftovers: a person's shell or pager inside a dead root is left alone."""


class Service:
    """One process of the stand-in, in a session of its own, with its pid file and its log.

    `cancelled` makes waiting end early; `name` names pid file, record and error messages.
    """

    def __init__(self, name: str, layout: Layout, cancelled: threading.Event) -> None:
        self.name = name
        self.pid_file = layout.run / f"{name}.pid"
        self._record = layout.processes / f"{name}.json"
        self._cancelled = cancelled
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Path | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The running process's id. Raises NotStarted when it isn't running."""
        if self._process is None or self._process.poll() is not None:
            raise NotStarted(f"{self.name} is not running")
        return self._process.pid

    def alive(self) -> bool:
        """Tell whether it runs; also reaps it when it ended, so that no zombie is mistaken for a process."""
        return self._process is not None and self._process.poll() is None

    def start(
        self,
        command: Sequence[str],
        *,
        executable: str | None = None,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        ready: Callable[[], bool],
        popen: Mapping[str, Any] | None = None,
    ) -> None:
        """Start it and wait until `ready()`. Raises NotStarted with its log's tail, having stopped it."""
        if self.alive():
            raise NotStarted(f"{self.name} is running already")
        self._log = log
        with log.open("ab") as sink:
            self._log_start = sink.tell()
            self._process = subprocess.Popen(
                command,
                executable=executable,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **(popen or {}),
            )
        with contextlib.suppress(psutil.Error):
            created = psutil.Process(self._process.pid).create_time()
            self._record.write_text(json.dumps({"pid": self._process.pid, "created": created}))
        self.pid_file.write_text(f"{self._process.pid}\n")
        try:
            self._await(ready)
        except BaseException:
            self.stop()
            raise

    def _await(self, ready: Callable[[], bool]) -> None:
        assert self._process is not None
        until = time.monotonic() + READY_SECONDS
        while not ready():
            if self._process.poll() is not None:
                raise NotStarted(f"{self.name} ended with code {self._process.returncode}{self._tail()}")
            if time.monotonic() > until:
                raise NotStarted(f"{self.name} did not answer within {READY_SECONDS:.0f} s{self._tail()}")
            if self._cancelled.wait(0.01):
                raise NotStarted(f"{self.name} was not waited for any longer")

    def _tail(self) -> str:
        # A log with history: only what this start wrote explains this start.
        return (
            tail(self._log) if self._log and self._log.exists() and self._log.stat().st_size > self._log_start else ""
        )

    def children(self) -> list[psutil.Process]:
        """Return the processes below it; empty when it isn't running."""
        try:
            return list(psutil.Process(self.pid).children(recursive=True))
        except (NotStarted, psutil.Error):
            return []

    def send(self, number: int) -> None:
        """Send it a signal. Raises NotStarted when it isn't running."""
        os.kill(self.pid, number)

    def freeze(self) -> None:
        """Stop it and its children from running, without ending them: connections are accepted, no more."""
        _signal_tree(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run on."""
        _signal_tree(self.pid, signal.SIGCONT)

    def stop(self, number: int = signal.SIGTERM, seconds: float = STOP_SECONDS) -> None:
        """End it, frozen or not, by force when it doesn't go within `seconds`. Harmless when not running."""
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(psutil.Error, NotStarted):
                self.thaw()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                _signal_tree(process.pid, signal.SIGKILL)
                process.wait(STOP_SECONDS)
        self._process = None
        self.pid_file.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it at once, as a crash would: its pid file stays behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)


def _signal_tree(pid: int, number: int) -> None:
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return
    for member in family:
        with contextlib.suppress(psutil.Error):
            member.send_signal(number)


def await_end(processes: Sequence[psutil.Process], seconds: float = STOP_SECONDS) -> None:
    """Wait until all have ended, reaped by their parent or not."""
    until = time.monotonic() + seconds
    while any(_runs(process) for process in processes) and time.monotonic() < until:
        time.sleep(0.01)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def kill_leftovers(root: Path) -> int:
    """End the processes that a dead rehearsal left in `root`; return how many.

    A process counts only when it runs one of the stand-in's programs, and its id and start time are recorded in the
    root or its working directory lies in it: process ids are used again, and strangers must not be hit.
    """
    leftovers = list(_leftovers(root))
    for process in leftovers:
        with contextlib.suppress(psutil.Error):
            # SIGQUIT makes PostgreSQL end at once, and yet give its shared memory back to the system.
            postgres = Path(process.exe()).name == "postgres"
            process.send_signal(signal.SIGQUIT if postgres else signal.SIGTERM)
            process.resume()
    await_end(leftovers, LEFTOVER_SECONDS)
    for process in leftovers:
        with contextlib.suppress(psutil.Error):
            process.kill()
    await_end(leftovers)
    return len(leftovers)


def _leftovers(root: Path) -> Iterator[psutil.Process]:
    recorded = {}
    for record in (root / "var/lib/rehearsal/processes").glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            content = json.loads(record.read_text())
            recorded[int(content["pid"])] = float(content["created"])
    places = (root.resolve(), elsewhere(root).resolve())
    own = os.getpid()
    for process in psutil.process_iter():
        if process.pid == own:
            continue
        with contextlib.suppress(psutil.Error, OSError):
            created = recorded.get(process.pid)
            ours = created is not None and abs(process.create_time() - created) < 2
            if not ours:
                where = Path(process.cwd())
                ours = any(where == place or place in where.parents for place in places)
            if ours and Path(process.exe().removesuffix(" (deleted)")).name in PROGRAMS:
                yield process
