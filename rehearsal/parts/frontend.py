"""One slot's front end process, which calls itself next-server as Next.js does."""

from __future__ import annotations

import os
import threading

from rehearsal.binaries import Node
from rehearsal.layout import Layout
from rehearsal.parts.part import RunningPart
from rehearsal.ports import accepts


class Frontend(RunningPart):
    """The front end of one slot."""

    def __init__(self, slot: str, layout: Layout, node: Node, port: int, cancelled: threading.Event) -> None:
        super().__init__(f"frontend-{slot}", layout, cancelled)
        self.port = port
        self.env = {"PATH": os.environ.get("PATH", os.defpath), "NODE_ENV": "production", "PORT": str(port)}
        self.log = layout.log / "mycats" / f"{self.name}.log"
        self._folder = layout.checkout_of(slot) / "frontend"
        self._node = node

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, **changes: str | None) -> None:
        """Start it with its environment changed for this start; it refuses to start without a build."""
        env = {name: value for name, value in {**self.env, **changes}.items() if value is not None}
        port = int(env.get("PORT") or 3000)
        self._service.start(
            ["node", "node_modules/next/dist/bin/next", "start"],
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
