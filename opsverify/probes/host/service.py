"""What questions about a service have in common: how its host knows it, by a unit, a pid file, or as a container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from opsverify.errors import Cause, ProbeError, Unreachable
from opsverify.probes.host.question import Question
from opsverify.probes.host.shell import units

Engine = Literal["any", "docker", "podman"]


@dataclass(frozen=True)
class ServiceQuestion(Question):
    """A question about one service, named by exactly one of `unit`, `pid_file` and `container`.

    `engine` any: docker, else podman, whichever the host has.
    """

    unit: str | None = None
    pid_file: str | None = None
    container: str | None = None
    engine: Engine = "any"

    @property
    def service(self) -> str:
        """How messages name it."""
        return self.unit or self.pid_file or f"container {self.container}"

    @property
    def service_arguments(self) -> tuple[str, ...]:
        """What `main_pids` of main_pids.sh is given to find its processes; raises ProbeError for no one service."""
        if sum(name is not None for name in (self.unit, self.pid_file, self.container)) != 1:
            raise ProbeError("a service is named by exactly one of unit, pid_file and container")
        if self.unit is not None:
            return "unit", *units(self.unit)
        return ("container", self.container, self.engine) if self.container else ("file", self.pid_file or "")


def stopped(service: str) -> Unreachable:
    """Why nothing is known of a service that does not run: one cause for all that is asked of its process."""
    error = Unreachable(f"{service} does not run")
    error.cause = Cause(f"service {service}", "it does not run")
    return error


__all__ = ["Engine", "ServiceQuestion", "stopped"]
