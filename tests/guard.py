"""Whoever ends a run of the tests, at any moment and by any signal, leaves none of its servers behind.

A process cannot clean up after its own SIGKILL. So the tests run in a child of a child, and both parents adopt whatever
a test leaves an orphan (PR_SET_CHILD_SUBREAPER, prctl(2)). When their child is gone they end what is left and exit as
it did; where the outer one is killed, the inner one is told (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import os
import signal
import time

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT)
_FROM_THE_KERNEL = 0x80
"""si_code of a signal that a terminal sent: the whole process group has got it, sigaction(2)."""
GRACE_SECONDS = 5.0
"""For what is left to end by itself, and to remove what it has made, before it is killed."""


def stand_guard() -> None:
    """Go on in a process that is guarded; the callers of this one wait for it, and never return."""
    for _ in range(2):
        _guarded()


def _guarded() -> None:
    watched = {*_FORWARDED, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    parent, child = os.getpid(), os.fork()
    if child == 0:
        _prctl(_PR_SET_CHILD_SUBREAPER, 0)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    status = _watch(child, watched)
    _end_what_is_left()
    os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))


def _watch(child: int, watched: set[signal.Signals]) -> int:
    """Hand on signals until the child is gone; its status."""
    while True:
        got = signal.sigwaitinfo(watched)
        if got.si_signo != signal.SIGCHLD:
            if not (got.si_signo == signal.SIGINT and got.si_code == _FROM_THE_KERNEL):
                os.kill(child, got.si_signo)
            continue
        for pid, status in _ended():
            if pid == child:
                return status


def _ended() -> list[tuple[int, int]]:
    ended = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append((pid, status))


def _end_what_is_left() -> None:
    until = time.monotonic() + GRACE_SECONDS
    number = signal.SIGTERM
    while left := _descendants():
        for pid in left:
            try:
                os.kill(pid, number)
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue
        _ended()
        time.sleep(0.05)
        if time.monotonic() > until:
            number = signal.SIGKILL
        if time.monotonic() > until + GRACE_SECONDS:
            return  # what even SIGKILL does not end waits for a disk


def _descendants() -> list[int]:
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    state, parent = file.read().rpartition(") ")[2].split()[:2]
            except OSError:
                continue
            if state != "Z":
                parents[int(name)] = int(parent)
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {os.getpid()})


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


__all__ = ["stand_guard"]
