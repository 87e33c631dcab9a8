"""What every running part can do, by its one process."""

from __future__ import annotations

import threading
from pathlib import Path

from rehearsal.layout import Layout
from rehearsal.processes import Service


class RunningPart:
    """A part that is one process with a pid file. Subclasses know how to start it."""

    def __init__(self, name: str, layout: Layout, cancelled: threading.Event) -> None:
        self.name = name
        self._service = Service(name, layout, cancelled)

    @property
    def pid(self) -> int:
        """The process id. Raises NotStarted when it isn't running."""
        return self._service.pid

    @property
    def pid_file(self) -> Path:
        """The file that holds the process id while it runs, and after a crash."""
        return self._service.pid_file

    def alive(self) -> bool:
        """Tell whether it runs; reaps it when it ended."""
        return self._service.alive()

    def stop(self) -> None:
        """End it in good order, even when frozen. Does nothing when it isn't running."""
        self._service.stop()

    def kill(self) -> None:
        """End it as a crash would: its pid file stays."""
        self._service.kill()

    def freeze(self) -> None:
        """Stop it from answering without ending it: the kernel still accepts connections for it."""
        self._service.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        self._service.thaw()
