"""Run a local command so that it always ends: at its deadline, at its output's bound, or by itself.

testinfra's own `run_local` waits for ever. Here every command leads a session of its own, and when it must end, the
whole session ends with it: neither `ssh`'s proxies nor a script's children are left behind.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO

MAX_OUTPUT = 32 * 1024 * 1024
_CHUNK = 64 * 1024
_POLL = 0.05


@dataclass(frozen=True)
class Finished:
    """How a command ended. `repr` shows none of its output: it may hold a secret."""

    status: int
    output: bytes = field(repr=False)
    errors: bytes = field(repr=False)
    timed_out: bool = False
    overflowed: bool = False
    sent: float = 0.0
    arrivals: tuple[tuple[int, float], ...] = field(default=(), repr=False)
    """(length of the output so far, when it had arrived in seconds since the epoch), ascending."""


def run(
    command: Sequence[str],
    seconds: float,
    *,
    feed: bytes | BinaryIO = b"",
    env: Mapping[str, str] | None = None,
    max_output: int = MAX_OUTPUT,
    daemonizes: bool = False,
    sink: Callable[[bytes], None] | None = None,
    popen: Mapping[str, Any] | None = None,
) -> Finished:
    """Run `command` for at most `seconds`, with `feed` (bytes, or an open file) as its stdin.

    `popen`: more arguments for Popen, such as another user.

    `daemonizes`: what it leaves in the background when it ends by itself is meant to stay.
    Raises OSError when it cannot be started. What it wrote before its end is returned in every case; with `sink` its
    output goes there instead, piece by piece and of any length, and what `sink` raises ends the command.
    """
    end = time.monotonic() + seconds
    # One look at the clock, and then the time that passes: a clock that is set meanwhile moves no arrival.
    sent, began = time.time(), time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=(subprocess.PIPE if feed else subprocess.DEVNULL) if isinstance(feed, bytes) else feed,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        bufsize=0,
        env=None if env is None else dict(env),
        **(popen or {}),
    )
    output, errors = bytearray(), bytearray()
    arrivals: list[tuple[int, float]] = []
    timed_out = overflowed = False
    with contextlib.ExitStack() as stack:
        stack.callback(_finish, process, daemonizes)
        pidfd = _pidfd(process.pid)
        if pidfd is not None:
            stack.callback(os.close, pidfd)
        selector = stack.enter_context(selectors.DefaultSelector())
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
        if pidfd is not None:
            selector.register(pidfd, selectors.EVENT_READ)
        pending = memoryview(feed if isinstance(feed, bytes) else b"")
        exited = False
        while not exited:
            left = end - time.monotonic()
            if left <= 0:
                timed_out = True
                break
            events = selector.select(left if pidfd is not None else min(left, _POLL))
            # Looked at before the pipes are read: what an ended process wrote is then all in them.
            exited = _exited(process) if pidfd is None else any(key.fd == pidfd for key, _ in events)
            for key, _ in events:
                if key.fileobj is process.stdin:
                    pending = _write(process.stdin, pending)
                    if not pending:
                        selector.unregister(process.stdin)
                        process.stdin.close()
            for stream, into in ((process.stdout, output), (process.stderr, errors)):
                if stream is None or stream.fileno() not in selector.get_map():
                    continue
                before = len(into)
                # A grandchild may hold the pipe open: once the command has ended, what is there is all we take.
                if _read(stream, into, max_output, whole=exited):
                    selector.unregister(stream)
                if stream is process.stdout and len(into) > before:
                    if sink is not None:
                        sink(bytes(into))
                        into.clear()
                        continue
                    arrivals.append((len(into), sent + time.monotonic() - began))
                overflowed = overflowed or len(into) >= max_output
            if overflowed:
                break
        if timed_out or overflowed:
            _kill(process)
    return Finished(
        status=process.returncode,
        output=bytes(output),
        errors=bytes(errors),
        timed_out=timed_out,
        overflowed=overflowed,
        sent=sent,
        arrivals=tuple(arrivals),
    )


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or older than 5.3
        return None


def _exited(process: subprocess.Popen[bytes]) -> bool:
    """Whether the command has ended; it is not reaped, so its id still names its session and no other."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _write(stream: IO[bytes] | None, pending: memoryview) -> memoryview:
    assert stream is not None
    try:
        return pending[os.write(stream.fileno(), pending[:_CHUNK]) :]
    except BlockingIOError:
        return pending
    except OSError:  # it reads no more; what it says about that is in its output
        return memoryview(b"")


def _read(stream: IO[bytes], into: bytearray, max_output: int, whole: bool) -> bool:
    """Read what is there, one chunk or all of it; True at the stream's end."""
    while len(into) < max_output:
        try:
            chunk = os.read(stream.fileno(), min(_CHUNK, max_output - len(into)))
        except BlockingIOError:
            return False
        except OSError:
            return True
        if not chunk:
            return True
        into += chunk
        if not whole:
            return False
    return False


def _finish(process: subprocess.Popen[bytes], daemonizes: bool) -> None:
    """End what is left of the session, then reap the command (in this order: see `_exited`)."""
    if process.returncode is None:
        if not _exited(process):
            _kill(process)
        elif not daemonizes:
            _signal_group(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    # Politely first: sudo hands SIGTERM on to what runs as root, which SIGKILL from us would leave behind.
    for pid in _session(process.pid):
        _signal(pid, signal.SIGTERM)
    end = time.monotonic() + 0.3
    while not _exited(process) and time.monotonic() < end:
        time.sleep(0.01)
    for _ in range(5):  # more than once: a process may fork between the look and the signal
        members = [pid for pid in _session(process.pid) if pid != process.pid or not _exited(process)]
        if not members:
            break
        for pid in members:
            _signal(pid, signal.SIGKILL)
        _signal_group(process.pid, signal.SIGKILL)
        time.sleep(0.01)


def _session(leader: int) -> list[int]:
    """The living processes of a session, also those in process groups of their own (as `timeout` makes them)."""
    members = []
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:  # no /proc: the process group must do
        return [leader]
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b") ")[2].split()
        except OSError:
            continue
        if len(fields) > 3 and fields[3] == str(leader).encode() and fields[0] not in (b"Z", b"X"):
            members.append(pid)
    return members


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
