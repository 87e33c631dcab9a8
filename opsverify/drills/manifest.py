"""What a backup held when it was taken, as its manifest says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import MIB, Answer, Question
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.postgres.contents import ContentsFacts

SUFFIX = ".manifest.json"


@dataclass(frozen=True)
class DumpManifest:
    """Answer: `postgres.ContentsFacts` of the newest finished dump, from the file beside it. Ask `restore_probe`.

    A backup job that writes one names it as the dump with `.manifest.json` added, and counts in it::

        {"tables": {"public.cats": 120, …}, "constraints": 31, "indexes": 24}

    Constraints without those of NOT NULL, which PostgreSQL began to list with 18. Privileges: to read it.
    """

    folder: str
    pattern: str


@dataclass(frozen=True)
class ManifestFile(Question):
    """One manifest on a host. Answer: `postgres.ContentsFacts`. Privileges: to read it."""

    path: str

    shell = ShellFile(__package__, "manifest.sh")
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return f"the manifest {self.path}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.path,)

    def parse(self, answer: Answer) -> ContentsFacts:
        if answer.status != 0:
            if answer.denied:
                raise MissingPrivilege(f"{self.title} could not be read: this account may not read it")
            raise ProbeError(
                f"{self.title} could not be read: {answer.complaint('there is none')} (`compare_with: live` needs none)"
            )
        try:
            manifest = json.loads(answer.output)
            tables = {str(name): _count(rows) for name, rows in manifest["tables"].items()}
            return ContentsFacts(
                tuple(sorted(tables.items())), _count(manifest["constraints"]), _count(manifest["indexes"])
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise ProbeError(
                f"{self.title} could not be understood: it must hold tables, constraints and indexes with their counts"
            ) from None


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError
    return value
