"""The fenced blocks of a document, and what of them is typed into a shell. Pure.

Every text that comes out has as many lines before its own as it had in the document: line numbers stay true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from opsverify.runbook_document.reading import MOST_OF_A_LINE

SHELLS = ("bash", "sh", "shell", "zsh", "ksh", "dash", "ash")
_CONSOLES = ("console", "terminal", "shell-session", "shellsession", "sh-session", "bash-session", "shell-console")
_CRONTABS = ("cron", "crontab")
_SQL = ("sql", "psql", "pgsql", "postgresql", "postgres")

_PROMPT = re.compile(
    r"^\s*(?:\([\w.-]+\)\s*)?"  # a virtual environment
    r"(?:\[?[\w.-]+@[\w.-]+[^$#❯%]{0,80}[$#❯%]|[$❯])\s+(?P<typed>\S.*)$"
)
_MORE = re.compile(r"^\s*> ?(?P<typed>.*)$")
_HERE = re.compile(r"(?<!<)<<(?!<)-?\s*(['\"]?)(?P<end>\w+)\1")
_TIMES = re.compile(
    r"^\s*(?:(?:[\d*][\d*/,-]*\s+){3}(?:[\w*][\w*/,-]*\s+){2}|@(?:reboot|hourly|daily|weekly|monthly)\s+)(?=\S)"
)
# A word in angle brackets: not `<(…)`, no redirection to and fro.
_PLACEHOLDER = re.compile(r"<@?(?:[^\W\d][^\s<>&|;$'\"`()]*|[^\W\d][\w-]*(?: [\w-]+)*[^\W\d])>")
_PROGRAMS = frozenset(
    {
        *("apt", "apt-get", "bash", "cat", "cd", "chmod", "chown", "cp", "createdb", "crontab", "curl", "df", "docker"),
        *("docker-compose", "dropdb", "du", "echo", "export", "find", "free", "git", "grep", "gunzip", "gzip", "htop"),
        *("journalctl", "kill", "killall", "less", "ln", "ls", "mkdir", "mv", "nginx", "node", "npm", "npx", "openssl"),
        *(
            "pg_dump",
            "pg_restore",
            "pgrep",
            "pkill",
            "pm2",
            "pnpm",
            "ps",
            "psql",
            "rm",
            "rsync",
            "scp",
            "sed",
            "service",
        ),
        *("sh", "ssh", "sudo", "systemctl", "tail", "tar", "top", "touch", "vacuumdb", "wget", "yarn"),
    }
)
"""What a fence without a language must begin its lines with to be taken for commands: it may as well be output."""


@dataclass(frozen=True)
class Block:
    """A fence. `line` is the number, from 1, of its first line of content in the document."""

    language: str
    line: int
    text: str
    chapter: str = ""

    @property
    def is_sql(self) -> bool:
        return self.language in _SQL

    @property
    def is_program(self) -> bool:
        """Whether it is a script to be kept and run by itself, by its first line."""
        return self.text.lstrip().startswith("#!")

    @property
    def shell(self) -> str | None:
        """What is typed, line by line, output and prompts blanked; None where the block is none of a shell's."""
        lines = self.text.split("\n")
        if self.language in _CONSOLES or (self.language in (*SHELLS, "") and _is_transcript(lines)):
            return "\n".join(_typed(lines))
        if self.language in (*SHELLS, *_CRONTABS):
            return _without_times(self.text)
        if self.language == "" and _looks_typed(lines):
            return self.text
        return None


def blocks(text: str) -> list[Block]:
    """Every fenced or indented block of a Markdown document, in its order."""
    # Here: it takes some milliseconds to import, and most runs read no document.
    from markdown_it import MarkdownIt

    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = "\n".join(line[:MOST_OF_A_LINE] for line in text.split("\n"))
    found = []
    chapter = ""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            chapter = tokens[index + 1].content
        if token.type in ("fence", "code_block") and token.map is not None:
            words = token.info.strip().strip("{}").replace(",", " ").split()
            language = words[0].strip(".").lower() if words else ""
            found.append(Block(language, token.map[0] + (2 if token.type == "fence" else 1), token.content, chapter))
    return found


def without_placeholders(text: str) -> str:
    """`<id>` as a word of the same length that a shell reads as one: PLACEHOLDER_."""
    return _PLACEHOLDER.sub(lambda match: PLACEHOLDER[: len(match[0])].ljust(len(match[0]), "_"), text)


PLACEHOLDER = "\ufffcPLACEHOLDER"
"""Begins with a character that nobody types."""


def _without_times(text: str) -> str:
    """The commands of lines of a crontab: `0 3 * * * backup.sh`."""
    return "\n".join(_TIMES.sub("", line) for line in text.split("\n"))


def _is_transcript(lines: list[str]) -> bool:
    """Whether its first line that is no comment has a prompt."""
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("# ")), "")
    return bool(_PROMPT.match(first))


def _typed(lines: list[str]) -> list[str]:
    typed: list[str] = []
    goes_on, end = False, ""
    for line in lines:
        prompt, more = _PROMPT.match(line), _MORE.match(line)
        if end:
            content = more["typed"] if more else line
            end = "" if content.strip() == end else end
        elif prompt:
            content = prompt["typed"]
        elif goes_on:
            content = more["typed"] if more else line
        else:
            content = ""
        if content and not end and (here := _HERE.search(content)):
            end = here["end"]
        goes_on = content.rstrip().endswith(("\\", "|", "&&", "||"))
        typed.append(content)
    return typed


def _looks_typed(lines: list[str]) -> bool:
    """Whether each of its lines begins with a program that runbooks use."""
    code, goes_on = [], False
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#") and not goes_on:
            code.append(line.split()[0])
        goes_on = line.rstrip().endswith("\\")
    return bool(code) and all(word in _PROGRAMS or word.startswith("./") for word in code)
