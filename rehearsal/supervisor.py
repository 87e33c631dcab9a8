"""The process that keeps a rehearsal up: for one caller, until standard input closes, or for everybody."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from rehearsal.errors import RehearsalError
from rehearsal.roots import SERVED, SERVED_LOCK, Lock, Root, state_folder
from rehearsal.whole import Rehearsal


@contextlib.contextmanager
def _until_told(end: threading.Event) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into an orderly end."""

    def told(number: int, frame: object) -> None:
        end.set()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means it
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, told) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(whole: Rehearsal, end: threading.Event) -> bool:
    """Start it in a thread, so that being told to end meanwhile is heard; False when that happened."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            whole.start()
        except BaseException as error:
            failure.append(error)

    starter = threading.Thread(target=run, name="starter", daemon=True)
    starter.start()
    while starter.is_alive():
        starter.join(0.05)
        if end.is_set():
            whole.cancel()
            starter.join()
            return False
    if failure:
        raise failure[0]
    return True


def serve_one_caller() -> int:
    """Serve the process at the other end of our standard input, until it closes it or is gone.

    Prints one JSON line: `{"variables": {…}}` when all is up, `{"error": "…"}` when it isn't.
    """
    end = threading.Event()
    threading.Thread(target=_watch_input, args=(end,), name="stdin", daemon=True).start()
    try:
        with _until_told(end), Root.create() as root:
            whole = Rehearsal(root.path)
            try:
                if _start(whole, end):
                    _say({"variables": whole.variables()})
                    end.wait()
            finally:
                whole.stop()
    except Exception as error:  # whatever it is: the caller waits for one line that says so
        _say({"error": str(error) if isinstance(error, RehearsalError) else f"{type(error).__name__}: {error}"})
        return 1
    return 0


def _watch_input(end: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    end.set()


def _say(message: dict[str, object]) -> None:
    # The caller may be gone: then nobody is left to tell.
    with contextlib.suppress(OSError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def serve_all() -> int:
    """Keep one up in the foreground, for every `rehearsal.ensure()` of this user, until told to end."""
    folder = state_folder()
    lock = Lock(folder / SERVED_LOCK)
    end = threading.Event()
    # More than once: somebody who looks whether one is served holds the lock for an instant.
    if not any(lock.acquire() or end.wait(0.1) for _ in range(10)):
        print("A rehearsal is being served already: `pytest --env rehearsal` uses it.", file=sys.stderr)
        return 1
    served = folder / SERVED
    try:
        with _until_told(end), Root.create() as root:
            whole = Rehearsal(root.path)
            try:
                if _start(whole, end):
                    _publish(served, whole.variables())
                    print(_welcome(whole), flush=True)
                    end.wait()
            finally:
                served.unlink(missing_ok=True)
                # A terminal that is gone must not keep the parts from being stopped.
                with contextlib.suppress(OSError):
                    print("Stopping the rehearsal.", flush=True)
                whole.stop()
    except (RehearsalError, OSError) as error:
        print(f"The rehearsal did not start: {error}", file=sys.stderr)
        return 1
    finally:
        lock.release(remove=True)
    return 0


def _publish(path: Path, variables: dict[str, str]) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(json.dumps(variables))
    new.replace(path)


def _welcome(whole: Rehearsal) -> str:
    variables = whole.variables()
    rows = (
        ("Public address", variables["REHEARSAL_PUBLIC_URL"]),
        ("its authority", variables["REHEARSAL_CA_FILE"]),
        ("API blue, green", f"{variables['REHEARSAL_API_BLUE_URL']}, {variables['REHEARSAL_API_GREEN_URL']}"),
        (
            "Front ends",
            f"{variables['REHEARSAL_FRONTEND_BLUE_URL']}, {variables['REHEARSAL_FRONTEND_GREEN_URL']}",
        ),
        ("PostgreSQL", f"127.0.0.1:{variables['REHEARSAL_PG_PORT']} ({variables['REHEARSAL_PG_VERSION']})"),
        ("Everything else", variables["REHEARSAL_ROOT"]),
    )
    lines = "\n".join(f"  {name:<16} {value}" for name, value in rows)
    verify = "Verify it from another terminal:  pytest --env rehearsal"
    return f"The rehearsal is up.\n{lines}\n{verify}\nCtrl-C ends it."
