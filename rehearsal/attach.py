"""The caller's side: attach to a rehearsal that is up, or start one that lives as long as we do."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from rehearsal.errors import RehearsalError
from rehearsal.layout import PACKAGE, Layout
from rehearsal.roots import SERVED, SERVED_LOCK, Lock, state_folder, sweep

START_SECONDS = 60.0
STOP_SECONDS = 20.0
ATTACH = "REHEARSAL_ATTACH"


class Running:
    """A rehearsal that is up. `variables` holds secrets: use them, don't print them."""

    def __init__(self, variables: dict[str, str], supervisor: subprocess.Popen[bytes] | None = None) -> None:
        self.variables = variables
        self._supervisor = supervisor
        if supervisor is not None:
            atexit.register(self.stop)

    @property
    def own(self) -> bool:
        """Whether it was started by us and ends with us."""
        return self._supervisor is not None

    def stop(self) -> None:
        """End our own one and wait until it is gone; nothing to one that was up before."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        atexit.unregister(self.stop)
        _end(supervisor)

    def __repr__(self) -> str:
        kind = "own" if self.own else "attached"
        return f"<Running rehearsal in {self.variables.get('REHEARSAL_ROOT')}, {kind}>"


def ensure() -> Running:
    """Attach to the rehearsal named by REHEARSAL_ATTACH, else to the served one, else start an own one.

    Raises RehearsalError within 60 seconds, with the failing part's log tail.
    """
    if named := os.environ.get(ATTACH):
        return Running(
            _read(Layout.below(Path(named)).variables, f"{ATTACH} names a folder without a rehearsal that is up")
        )
    folder = state_folder()
    if (folder / SERVED).exists() and _held(folder / SERVED_LOCK):
        with contextlib.suppress(RehearsalError):
            return Running(_read(folder / SERVED, "the served rehearsal is gone"))
    return _start_own()


def _held(path: Path) -> bool:
    """Tell whether somebody alive holds the lock."""
    lock = Lock(path)
    if not lock.acquire():
        return True
    # Nobody does: what is left of the served one is stale.
    (path.parent / SERVED).unlink(missing_ok=True)
    lock.release(remove=True)
    return False


def _read(path: Path, otherwise: str) -> dict[str, str]:
    try:
        state = json.loads(path.read_text())
    except (OSError, ValueError):
        raise RehearsalError(otherwise) from None
    return {str(name): str(value) for name, value in state.items()}


def _start_own() -> Running:
    state_folder()
    paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    # In a file: a pipe that nobody reads could fill up and stop the supervisor.
    with tempfile.TemporaryFile() as errors:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "rehearsal", "serve", "--until-stdin-closes"],
            cwd="/",
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        try:
            first_line = _first_line(supervisor)
            errors.seek(0)
            last = errors.read()[-1500:].decode(errors="replace").strip()
        except BaseException:
            _end(supervisor)
            raise
    if "variables" in first_line:
        return Running(first_line["variables"], supervisor)
    _end(supervisor)
    reason = first_line.get("error") or f"its supervisor ended without a word{': ' if last else ''}{last}"
    raise RehearsalError(f"the rehearsal did not start: {reason}")


def _first_line(supervisor: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert supervisor.stdout is not None
    output: IO[bytes] = supervisor.stdout
    until = time.monotonic() + START_SECONDS
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, until - time.monotonic())):
                return {"error": f"not up within {START_SECONDS:.0f} s"}
            chunk = os.read(output.fileno(), 65536)
            if not chunk:
                return {}
            line += chunk
    message: dict[str, Any] = json.loads(line)
    return message


def _end(supervisor: subprocess.Popen[bytes]) -> None:
    for pipe in (supervisor.stdin, supervisor.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        supervisor.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()
    if supervisor.returncode < 0:
        # It was killed: what it could not clean up any more is cleaned up here rather than at the next start.
        with contextlib.suppress(RehearsalError, OSError):
            sweep()
