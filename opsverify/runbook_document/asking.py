"""The I/O of it: the document is read first, and then a host is asked for what its commands name, in one round trip."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opsverify.errors import ProbeError
from opsverify.evidence.deadline import Deadline
from opsverify.probes.documents import web_document
from opsverify.probes.host import probe as host
from opsverify.probes.host.files.text_file import DocumentText, TextFile
from opsverify.probes.host.release.named_things import NamedThings, NamedThingsFacts
from opsverify.runbook_document.lint import Remark, lint

if TYPE_CHECKING:
    from opsverify.config.environment import Document, Host

HERE = "(here)"
"""The name of the host that this machine is to a document that names none."""
SECONDS = 30.0
"""For reading the document and asking one host."""


@dataclass(frozen=True)
class Reader:
    """A document, from where it is read (`host`, this machine for none), and the host that is `asked` about it."""

    document: Document
    host: Host
    asked: Host | None = None

    @property
    def identity(self) -> Hashable:
        return (*self.document.identity, self.asked.name if self.asked else "")

    @property
    def subject(self) -> Document | Host:
        """Whom it is about, for people."""
        return self.asked or self.document

    @property
    def label(self) -> str:
        return self.subject.label

    @property
    def connection(self) -> str:
        """What a cluster goes by."""
        return self.host.connection if self.lies_here else (self.asked or self.host).connection

    @property
    def via(self) -> str | None:
        return None if self.lies_here else (self.asked or self.host).via

    @property
    def lies_here(self) -> bool:
        """Whether the document is a file of this machine, which no other can read."""
        return self.host.name == HERE and not self.is_on_the_web

    @property
    def is_on_the_web(self) -> bool:
        return self.document.location.startswith(("http://", "https://"))


@dataclass(frozen=True)
class Named:
    """What a document's commands name, on a host with these checkouts and log files. Answer: `NamedThingsFacts`.

    Privileges: to enter the folders that commands name, and to read package.json and the logs.
    """

    checkouts: tuple[str, ...]
    logs: tuple[str, ...]

    @property
    def sends(self) -> NamedThings:
        """What is sent, but for what the document names."""
        return NamedThings(self.checkouts)


@dataclass(frozen=True)
class Linted:
    """What shellcheck says of a document's blocks, on the machine that runs the suite. Answer: a tuple of `Remark`.

    No privilege needed.
    """


def named_probe(
    target: Reader, questions: frozenset[Named], deadline: Deadline
) -> dict[Named, NamedThingsFacts | ProbeError]:
    """Read the document, then ask the host. No command of it is run. Raises Unreachable where one does not answer."""
    from opsverify.runbook_document.commands import read, wanted

    assert target.asked is not None
    text = _text(target, deadline)
    commands = read(text)
    things = {question: wanted(commands, question.checkouts, question.logs) for question in questions}
    answers = host.probe(target.asked, frozenset(things.values()), deadline)
    return {question: answers[things[question]] for question in questions}


def lint_probe(target: Reader, questions: frozenset[Linted], deadline: Deadline) -> dict[Linted, tuple[Remark, ...]]:
    """Read the document, and have shellcheck read its blocks here; no remark where it is not installed."""
    return dict.fromkeys(questions, lint(_text(target, deadline), deadline))


def _text(target: Reader, deadline: Deadline) -> str:
    answer: DocumentText | ProbeError
    if target.is_on_the_web:
        page = web_document.WebDocument()
        answer = web_document.probe(target.document, frozenset([page]), deadline)[page]
    else:
        file = TextFile(target.document.location)
        answer = host.probe(target.host, frozenset([file]), deadline)[file]
    if isinstance(answer, ProbeError):
        raise answer
    return answer.text


__all__ = ["HERE", "SECONDS", "Linted", "Named", "Reader", "lint_probe", "named_probe"]
