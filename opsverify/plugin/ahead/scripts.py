"""What a question really sends: its shell, or its SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opsverify.probes.host.question import Question
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.postgres.question import Result, Server

_SQL_WIDTH = 68


@dataclass(frozen=True)
class Sent:
    """A piece of what is sent, and where it is written: `opsverify/probes/host/system/memory.sh`, or `$1`."""

    name: str
    text: str


def sent(question: Any) -> list[Sent]:
    """What is sent for a question, in pieces to be read by people; nothing for one that sends no text of its own."""
    question = getattr(question, "sends", question)
    if isinstance(question, Question):
        given = [Sent(f"${number}", str(value)) for number, value in enumerate(question.arguments, 1)]
        return [*(Sent(_file(one), one.text) for one in (question.shell, *question.helpers)), *given]
    if callable(getattr(question, "steps", None)) and (told := statements(question)):
        file = f"{type(question).__module__.replace('.', '/')}.py"
        return [Sent(f"SQL, written in {file}", "\n\n".join(f"{_folded(text)};" for text in told))]
    return []


def _file(shell: ShellFile) -> str:
    return f"{shell.package.replace('.', '/')}/{shell.name}"


def _folded(sql: str) -> str:
    """A statement in lines that can be read; what stands in quotes is kept as it is."""
    lines = [""]
    for word in re.findall(r"(?:'[^']*'|\"[^\"]*\"|[^\s'\"])+", sql):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _SQL_WIDTH:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n  ".join(lines)


def statements(question: Any) -> list[str]:
    """The SQL of a question to a database. What depends on an answer stands with `<name>` for the answer's columns."""
    told: dict[str, None] = {}
    for rows in ([_Row()], []):
        told |= dict.fromkeys(_driven(question, rows))
    return list(told)


class _Row(dict[str, Any]):
    """An answer that has every column, and says yes to everything."""

    def __missing__(self, name: str) -> str:
        return f"<{name}>"


def _driven(question: Any, rows: list[Any]) -> Iterator[str]:
    """The statements that a question sends where every answer has those rows, until it finds that they are made up."""
    steps = question.steps(Server(170000, "<role>", 0.0, 0.0))
    result = None
    while True:
        try:
            statement = steps.send(result)
        except Exception:  # its end, or what it makes of an answer that nobody gave
            return
        yield str(statement.sql)
        result = Result(rows, datetime.now(UTC), 0.0)
