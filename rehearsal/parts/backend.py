"""One slot's API process: `node dist/main` in the backend folder of the slot's release."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from rehearsal.binaries import Node
from rehearsal.layout import Layout
from rehearsal.parts.part import RunningPart
from rehearsal.ports import accepts


class Backend(RunningPart):
    """The API of one slot, in the environment that a deployment sets: change it by `restart(NAME=value)`."""

    def __init__(
        self,
        slot: str,
        layout: Layout,
        node: Node,
        port: int,
        env: dict[str, str],
        cancelled: threading.Event,
    ) -> None:
        super().__init__(f"backend-{slot}", layout, cancelled)
        self.port = port
        self.env = {"PATH": os.environ.get("PATH", os.defpath), **env, "PORT": str(port)}
        self.log: Path = layout.app_log
        self._folder = layout.checkout_of(slot) / "backend"
        self._node = node

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, **changes: str | None) -> None:
        """Start it with its environment changed for this start: a value sets, None removes a variable.

        It is up when its port accepts: its health is not asked, which would count against its own rate limit.
        """
        env = {name: value for name, value in {**self.env, **changes}.items() if value is not None}
        port = int(env.get("PORT") or 3004)
        self._service.start(
            ["node", "dist/main"],
            executable=self._node.path,
            cwd=self._folder,
            env=env,
            log=self.log,
            ready=lambda: accepts(port),
        )

    def restart(self, **changes: str | None) -> None:
        """Stop it and start it with a changed environment, for this start only."""
        self.stop()
        self.start(**changes)
