"""The generated Prisma client, held against the schema."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.files.listing import missing
from opsverify.probes.host.question import MIB, Answer, Block, Question
from opsverify.probes.host.shell import FOLDER
from opsverify.probes.host.shell_file import ShellFile

SCHEMAS = ("backend/prisma/schema.prisma", "prisma/schema.prisma")


@dataclass(frozen=True)
class Generated:
    """The Prisma client that the backend loads. Names are relative to the checkout; None: not there."""

    checkout: str
    schema: str | None = None
    client: str | None = None
    """Its folder; None where none was ever generated."""
    matches: bool = False
    """Whether it was generated from a schema like this one; layout does not count, since Prisma formats its copy."""


@dataclass(frozen=True)
class PrismaClient(Question):
    """Whether the generated client was generated from the schema in the checkout.

    It is looked for where Node.js finds it: at the client generator's own `output`, else in `.prisma/client` beside the
    package `@prisma/client` that the backend resolves (pnpm: inside node_modules/.pnpm), else in node_modules.
    Privileges: to read the checkout. Source: Prisma leaves a copy of the schema with every client it generates; the
    generator `prisma-client`, which Prisma 7 prefers, as a string in the code (`inlineSchema`).
    """

    checkout_path: str

    shell = ShellFile(__package__, "prisma.sh")
    helpers = (FOLDER,)
    max_bytes: ClassVar[int] = 4 * MIB

    @property
    def title(self) -> str:
        return f"the Prisma client in {self.checkout_path}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.checkout_path, *SCHEMAS

    def parse(self, answer: Answer) -> Generated:
        if missing(self.title, self.checkout_path, answer) or answer.block("noschema"):
            return Generated(self.checkout_path)
        schema, client = answer.block("schema"), answer.block("client") or answer.block("inline")
        if schema is None or answer.status != 0 or (client is None) != (answer.block("noclient") is not None):
            raise answer.failure(self.title)
        if client is None:
            return Generated(self.checkout_path, schema.rest)
        if answer.block("end") is None or not _substance(schema):
            raise answer.failure(self.title, "a schema is empty or was cut off")
        origin = _inlined(self.title, client) if client.name == "inline" else _substance(client)
        return Generated(self.checkout_path, schema.rest, client.rest, _substance(schema) == origin)


def _substance(block: Block) -> str:
    """A schema's text without its white space, which Prisma's formatter changes."""
    return re.sub(r"\s+", "", "\n".join(block.lines))


def _inlined(title: str, client: Block) -> str:
    """The same of a schema that stands in the client's code as one string."""
    try:
        return re.sub(r"\s+", "", json.loads(client.lines[0]))
    except (ValueError, TypeError, IndexError):
        raise ProbeError(f"{title} could not be determined: {client.rest} does not tell its schema") from None
