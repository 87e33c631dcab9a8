"""Secrets in force that the checkout itself publishes: examples that somebody copied, defaults that nobody replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import MIB, Answer
from opsverify.probes.host.release.checkout import no_checkout
from opsverify.probes.host.service import ServiceQuestion
from opsverify.probes.host.shell import CHECKOUT, FOLDER, OWNER
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.system.secret import digest
from opsverify.probes.host.system.variables import SHOWN, environment_arguments, variables_in


@dataclass(frozen=True)
class PublishedSecret:
    """A secret in force that everybody can read in the checkout. It holds no value."""

    variable: str
    file: str
    """Where it is published, in the checkout."""
    published_as: str
    """The variable that it is published under there."""
    fallback: bool
    """Whether it is in force because `variable` is not set, and not because it is set to it."""


@dataclass(frozen=True)
class PublishedSecretsFacts:
    """The secrets of a running service, held against what its checkout publishes."""

    source: str
    """Where its variables were read."""
    secrets: tuple[str, ...]
    """Names of its variables that hold secrets."""
    files: tuple[str, ...]
    """Files of the checkout that show how to set variables."""
    published: int
    """How many different secrets these hold."""
    found: tuple[PublishedSecret, ...]


@dataclass(frozen=True, kw_only=True)
class PublishedSecrets(ServiceQuestion):
    """Which of a service's secrets are published in the checkout: as an example, or as a default, `${NAME:-default}`.

    `files` are patterns of file names, ignoring case, of files under version control; of these, the committed text
    counts. `secret_names` and `public_names` are patterns of variables (`*`); of a URL, only the password is a secret.
    `read_names` are variables that the service reads, so that where one is not set, a published default is in force.
    Only hashes are compared, and no value is in the facts. Privileges: as for `ProcessEnvironment`, and to read the
    checkout. Source: git-ls-files(1), git-cat-file(1), proc_pid_environ(5).
    """

    env_files: tuple[str, ...]
    checkout_path: str | None
    files: tuple[str, ...]
    secret_names: tuple[str, ...]
    public_names: tuple[str, ...] = ()
    read_names: tuple[str, ...] = ()

    shell = ShellFile(__package__, "published.sh")
    helpers = (*SHOWN, FOLDER, OWNER, CHECKOUT)
    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = 4 * MIB

    @property
    def title(self) -> str:
        return f"the secrets of {self.service}"

    @property
    def arguments(self) -> tuple[str, ...]:
        if self.checkout_path is None:
            return "", ""  # its script ends at once, and `parse` says why
        names = "|".join(_expression(pattern) for pattern in (*self.secret_names, *self.read_names))
        wanted = [f":(icase,glob)**/{pattern}" for pattern in self.files]
        service = environment_arguments(self, self.env_files, names)
        return self.checkout_path, "\n".join(wanted), *service

    def parse(self, answer: Answer) -> PublishedSecretsFacts:
        if self.checkout_path is None:
            raise ProbeError(f"{self.title} could not be held against a checkout: none of its host is under releases")
        variables, sources, denied = variables_in(self, answer)
        if no_checkout(self.title, self.checkout_path, answer):
            raise ProbeError(f"{self.title} could not be held against {self.checkout_path}: there is no such folder")
        if answer.block("listed") is None or answer.block("end") is None:
            raise answer.failure(self.title, "there is too much to compare" if answer.truncated else "it ended early")
        published: dict[str, tuple[str, str]] = {}
        defaults: dict[str, tuple[str, str]] = {}
        files = []
        for block in answer.blocks():
            if block.name != "published":
                continue
            files.append(block.rest)
            for name, value, is_default in assignments("\n".join(line[1:] for line in block.lines)):
                secret = self._secret(name, value)
                if secret is not None:
                    published.setdefault(digest(secret), (block.rest, name))
                    if is_default:
                        defaults.setdefault(name, (block.rest, name))
        secrets = {n: s for n, (value, _) in variables.items() if (s := self._secret(n, value)) is not None}
        result = [
            PublishedSecret(name, *published[digest(secret)], fallback=False)
            for name, secret in sorted(secrets.items())
            if digest(secret) in published
        ]
        unknown = [name for name in self.read_names if denied and not variables.get(name, ("", ""))[0]]
        if unknown and not result:
            raise MissingPrivilege(
                f"{self.title} could not be determined: {', '.join(unknown)} may stand in "
                f"{', '.join(denied)}, which this account may not read"
            )
        for name in self.read_names:
            if name in defaults and name not in unknown and not variables.get(name, ("", ""))[0]:
                result.append(PublishedSecret(name, *defaults[name], fallback=True))
        return PublishedSecretsFacts(
            ", ".join(sources), tuple(sorted(secrets)), tuple(files), len(published), tuple(result)
        )

    def _secret(self, name: str, value: str) -> str | None:
        """What of a variable's value is secret; None where nothing is."""
        if not _fits(name, self.secret_names) or _fits(name, self.public_names):
            return None
        if "://" in value:
            try:
                password = urlsplit(value).password
            except ValueError:
                return value
            return unquote(password) if password else None
        return value or None


def _expression(pattern: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_*]+", pattern):
        raise ProbeError(f"{pattern!r} is no pattern of variables")
    return pattern.replace("*", "[A-Za-z0-9_]*")


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(re.fullmatch(_expression(pattern), name) for pattern in patterns)


_ASSIGNMENT = re.compile(
    r"""^[\s#]*(?:-\s+)?(?:export\s+)?["']?(?P<name>[A-Za-z_][A-Za-z0-9_]*)["']?\s*[=:]\s*(?P<value>.*)$"""
)
_DEFAULT = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*):?[-=](?P<value>(?:[^${}]|\$(?!\{))*)\}")


def assignments(text: str) -> Iterator[tuple[str, str, bool]]:
    """(variable, value, whether it is a default) for what dotenv and compose files set, commented lines included.

    `NAME=value`, `NAME: value`, `- NAME=value`, and every `${NAME:-default}`, nested ones too. A value that refers to a
    variable without default is left out: it is not published. Where dotenv and compose take different values from a
    line, both are told: `A=q7#x` is "q7" to the one, "q7#x" to the other.
    """
    for line in text.split("\n"):
        while match := _DEFAULT.search(line):
            yield match["name"], _unquoted(match["value"]), True
            line = line[: match.start()] + match["value"] + line[match.end() :]
        match = _ASSIGNMENT.match(line)
        if match and (value := _unquoted(match["value"])) and "${" not in value:
            yield match["name"], value, False
            in_dotenv = value.partition("#")[0].rstrip()
            if in_dotenv not in ("", value) and match["value"][0] not in "'\"`":
                yield match["name"], in_dotenv, False


def _unquoted(value: str) -> str:
    value = value.strip()
    if value[:1] in ("'", '"') and value[:1]:
        inner, closed, _ = value[1:].partition(value[0])
        if closed:
            return inner
    # In both formats a comment begins after white space; "- 'A=b'" leaves its closing quote.
    return re.split(r"\s#", value, maxsplit=1)[0].strip().rstrip("'\"")
