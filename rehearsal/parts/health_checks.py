"""The timer that runs the release's health check every five minutes, as systemd or cron would."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time

from rehearsal.layout import Layout
from rehearsal.parts.logs import HEALTH_EVERY

CHECK_SECONDS = 60


class HealthChecks:
    """Runs `health-check.sh` now and every five minutes, until stopped. Its log is what the checks read."""

    name = "health-checks"

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the timer; the first run starts at once."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the timer and a run that is under way. Does nothing when it isn't running."""
        self._stopped.set()
        if (process := self._process) is not None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGTERM)
        if self._thread is not None:
            self._thread.join(CHECK_SECONDS)
            self._thread = None

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def alive(self) -> bool:
        """Tell whether the timer runs."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopped.is_set():
            began = time.monotonic()
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self.check()
            self._stopped.wait(max(1.0, HEALTH_EVERY.total_seconds() - (time.monotonic() - began)))

    def check(self) -> bool:
        """Run the health check once, into its log; tell whether all was well."""
        with self._layout.health_check_log.open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", str(self._layout.scripts / "health-check.sh")],
                env={"PATH": os.environ.get("PATH", os.defpath)},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            return self._process.wait(CHECK_SECONDS) == 0
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            raise
        finally:
            self._process = None
