"""The variables that a running service was started with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import MIB, Answer, one_line
from opsverify.probes.host.service import ServiceQuestion
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.system.secret import DatabaseAddress, SecretStrength, database_address, strength
from opsverify.probes.host.system.variables import SHOWN, environment_arguments, variables_in

SHOWABLE = ("NODE_ENV", "PORT", "CORS_ORIGIN", "HEALTH_CHECK_DATABASE")
"""The only variables whose values leave the probe."""
REQUIRED = ("DATABASE_URL", "JWT_SECRET", "PORT", "NODE_ENV", "CORS_ORIGIN", "HEALTH_CHECK_DATABASE")


@dataclass(frozen=True)
class EnvironmentFacts:
    """What is known of a service's variables. It holds no secret's value."""

    source: str
    """Where it was read, for people: "process 1234", "/etc/mycats.env"."""
    present: frozenset[str]
    """The asked-for variables that are set and not empty."""
    empty: frozenset[str]
    sources: tuple[tuple[str, str], ...]
    """(variable, where it was found)."""
    values: tuple[tuple[str, str], ...]
    """(variable, value) for those of `SHOWABLE`."""
    secrets: tuple[tuple[str, SecretStrength], ...]
    database: DatabaseAddress | None
    unreadable: tuple[str, ...]
    """Sources that exist but may not be read: what is not `present` may stand there."""

    def value(self, name: str) -> str | None:
        """The value of a showable variable, None where not set; raises MissingPrivilege where that is unknown."""
        self.known(name)
        return dict(self.values).get(name)

    def secret(self, name: str) -> SecretStrength | None:
        """How strong a secret is, None where it is not set; raises MissingPrivilege where that is unknown."""
        self.known(name)
        return dict(self.secrets).get(name)

    def known(self, name: str) -> bool:
        """Whether a variable is set and not empty; raises MissingPrivilege where an unreadable place may hold it."""
        if name not in self.present | self.empty and self.unreadable:
            raise MissingPrivilege(
                f"whether {name} is set could not be determined: it is not in {self.source}, and "
                f"{', '.join(self.unreadable)} may not be read by this account"
            )
        return name in self.present


@dataclass(frozen=True)
class ProcessEnvironment(ServiceQuestion):
    """The variables that a running service has, without the values of secrets.

    Privileges: the same user or root for the process, else to read the unit's and the other files, or to ask the
    engine.

    Looked for in this order, each variable where it is found first: the environment of the process that does the
    work (behind npm or pnpm: the one that listens), which needs the same user or root; where that may not be read,
    the unit's Environment= and EnvironmentFile=, or what the container was created with; then files of
    `node --env-file`; then `env_files`, which an application that uses npm's dotenv reads after it has started
    (neither ever shows in /proc). Of a process, only the variables in `names` leave the host; files are read whole,
    each by the grammar of the program that reads it.
    Source: proc_pid_environ(5), systemd.exec(5), Node.js's --env-file, dotenv's "does not override".
    """

    env_files: tuple[str, ...] = ()
    names: tuple[str, ...] = REQUIRED
    secret_names: tuple[str, ...] = ("JWT_SECRET",)

    shell = ShellFile(__package__, "process_environment.sh")
    helpers = SHOWN
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return f"the environment of {self.service}"

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.names, *self.secret_names)))

    @property
    def arguments(self) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in self._names):
            raise ProbeError(f"{self.title}: a name of a variable is not one")
        return environment_arguments(self, self.env_files, "|".join(self._names))

    def parse(self, answer: Answer) -> EnvironmentFacts:
        if answer.truncated:
            raise ProbeError(f"{self.title} could not be determined: it is larger than {self.max_bytes:,} bytes")
        everything, sources, denied = variables_in(self, answer)
        wanted = {key: value for key, value in everything.items() if key in self._names}
        present = {key: value for key, (value, _) in wanted.items() if value}
        url = present.get("DATABASE_URL")
        return EnvironmentFacts(
            source=", ".join(sources),
            present=frozenset(present),
            empty=frozenset(wanted) - frozenset(present),
            sources=tuple(sorted((key, source) for key, (_, source) in wanted.items())),
            values=tuple((key, one_line(present[key])) for key in SHOWABLE if key in present),
            secrets=tuple((key, strength(present[key])) for key in self.secret_names if key in present),
            database=database_address(url) if url is not None else None,
            unreadable=tuple(denied),
        )


__all__ = ["REQUIRED", "SHOWABLE", "EnvironmentFacts", "ProcessEnvironment"]
