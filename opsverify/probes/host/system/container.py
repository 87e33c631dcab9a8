"""Containers, as their engine on a host sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from opsverify.probes.host.files.listing import clock
from opsverify.probes.host.question import Answer, Question, integer
from opsverify.probes.host.service import Engine
from opsverify.probes.host.shell import ENGINE
from opsverify.probes.host.shell_file import ShellFile

_STATE = re.compile(r'(\w+) (true|false) (-?\d+) "([^"]*)" (\d+) "([a-z-]*)" ?(\w*)')


@dataclass(frozen=True)
class ContainerFacts:
    """A container. Where the engine knows none of that name, the rest is empty."""

    name: str
    exists: bool
    status: str = ""
    """The engine's word: "running", "exited", "restarting", "paused" …"""
    health: str = ""
    """By its own health check: "healthy", "unhealthy", "starting"; "" where it has none."""
    killed_for_memory: bool = False
    exit_code: int = 0
    restarts: int = 0
    """By the engine, since it was created."""
    restart_policy: str = ""
    """The engine's word: "always", "unless-stopped", "on-failure"; "no", or "" by podman, where it has none."""
    started_at: datetime | None = None
    observed_at: datetime | None = None
    """The host's clock when it looked."""

    @property
    def running(self) -> bool:
        return self.status == "running"

    @property
    def comes_back(self) -> bool:
        """Whether its engine starts it again at boot. Source: docker-run(1), --restart."""
        return self.restart_policy in ("always", "unless-stopped")

    @property
    def in_words(self) -> str:
        """`running, unhealthy`, or `exited, exit code 137, killed for memory`."""
        if not self.exists:
            return "no such container"
        ended = f"exit code {self.exit_code}" if self.exit_code or not self.running else ""
        killed = "killed for memory" if self.killed_for_memory else ""
        return ", ".join(filter(None, (self.status, self.health, ended, killed)))


@dataclass(frozen=True)
class ContainerState(Question):
    """Whether a container runs, is well by its own check, and how often it was restarted.

    `engine` any: docker, else podman, whichever the host has. Privileges: to ask the engine: for docker root or the
    group docker (which is as much), for podman the account that runs the container. Source: docker-inspect(1),
    podman-inspect(1).
    """

    name: str
    engine: Engine = "any"

    shell = ShellFile(__package__, "container.sh")
    helpers = (ENGINE,)

    @property
    def title(self) -> str:
        return f"the container {self.name}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.engine, self.name

    def parse(self, answer: Answer) -> ContainerFacts:
        return container_facts(self.title, self.name, answer)


def container_facts(title: str, name: str, answer: Answer) -> ContainerFacts:
    """What `container_state` of engine.sh said; raises ProbeError where that is nothing."""
    if answer.block("nocontainer"):
        return ContainerFacts(name, exists=False, observed_at=clock(answer))
    state = answer.block("state")
    match = _STATE.fullmatch(state.rest) if state else None
    if match is None:
        raise answer.failure(title, "the engine's answer was not understood")
    status, killed, exit_code, started, restarts, policy, health = match.groups()
    return ContainerFacts(
        name,
        exists=True,
        status=status,
        health="" if health == "none" else health,
        killed_for_memory=killed == "true",
        exit_code=int(exit_code),
        restarts=integer(restarts, "the restarts"),
        restart_policy=policy,
        started_at=_time(started),
        observed_at=clock(answer),
    )


def _time(text: str) -> datetime | None:
    """A time of RFC 3339; None for the engine's zero, which is the year 1."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.year > 1 and moment.tzinfo else None


__all__ = ["ContainerFacts", "ContainerState", "container_facts"]
