"""What commands name of a system: paths that must be there, units, searches of logs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname, normpath

from opsverify.runbook_document.shell import Command, Script, Word

_READERS = frozenset(
    {
        *("cat", "less", "more", "tail", "head", "tac", "wc", "sort", "zcat", "zless", "gunzip", "bunzip2", "unzip"),
        *("du", "ls", "stat", "md5sum", "sha256sum", "cd", "pushd", "logrotate", "visudo"),
    }
)
_SHELLS = ("bash", "sh", "dash", "zsh", "source", ".")
_INTERPRETERS = ("node", "python", "python3", "tsx", "ts-node")
_SOURCES = ("cp", "mv", "rsync", "ln", "install")
_WITH_VALUE = (
    "-n",
    "-c",
    "--lines",
    "--bytes",
    "-k",
    "-t",
    "-s",
    "--pid",
    "--max-depth",
    "-d",
    "-I",
    "-w",
    "-m",
    "--mode",
)
_PASSING = ("/dev/", "/proc/", "/sys/", "/tmp/", "/var/tmp/", "/path/", "/path/to")  # noqa: S108 - nothing is written there
_LETTERS = frozenset("EFiwPvcnqh")
_LONGEST_PATTERN = 200


@dataclass(frozen=True)
class NamedPath:
    """A path as it is written, and what it is: a `script` that is run, a `file` or folder that is read, or the `folder`
    that something is written to."""

    written: str
    role: str
    places: tuple[str, ...]
    """Where it may be: absolute, or relative to a checkout."""


def paths(command: Command, script: Script) -> list[NamedPath]:
    """The paths that must be there for a command to do what it is for."""
    if command.elsewhere or command.rescued:
        return []
    found = []
    new = script.unpacked_before(command)
    for word, role in _words(command, script):
        if new and not word.text.startswith(("/", "$")):
            continue
        word = script.value_of(word)
        text = word.text
        if role == "folder":
            text = dirname(text)
            word = Word(text, word.quoted)
        if not text or not word.known or "://" in text or re.match(r"[\w.@-]+:", text) or text.startswith(_PASSING):
            continue
        if text in (".", "..", "/", "-") or len(text) > 300 or not text.isprintable():
            continue
        places = _places(command, script, text)
        if places and not any(_made(place, script.made) for place in places):
            found.append(NamedPath(text, role, places))
    return found


def _places(command: Command, script: Script, text: str) -> tuple[str, ...]:
    candidates = [script.resolved(command, text)]
    if not text.startswith("/"):
        candidates += [normpath(text), *(normpath(f"{base}/{text}") for base in script.bases)]
        if script.folders[command.index] is None:
            return ()  # wherever that is
    return tuple(dict.fromkeys(c for c in candidates if c and not c.startswith("..") and c != "."))


def _made(place: str, made: frozenset[str]) -> bool:
    return any(place == one or place.startswith(f"{one}/") for one in made)


def _words(command: Command, script: Script) -> Iterator[tuple[Word, str]]:
    name, operands = command.name, command.operands(_WITH_VALUE)
    if "/" in command.words[0].text and not command.words[0].text.startswith(("/usr/", "/bin/", "/sbin/")):
        yield command.words[0], "script"
    shell = name in _SHELLS and operands and not command.has("-c")
    if shell or (name in _INTERPRETERS and re.match(r"[^-].*[./]", "".join(command.texts[:1]))):
        yield operands[0], "script"
    elif name in ("vi", "vim", "nano") and operands:
        yield operands[-1], "folder"  # of a file that may be new
    elif name == "jq":
        for word in operands[1:]:  # behind its filter
            yield word, "file"
    elif name in _READERS:
        for word in operands:
            # `head -20`, `du -sh *`; a word for itself is a path only where it looks like one.
            if name in ("cd", "pushd") or re.search(r"/|\.\w+$", script.value_of(word).text):
                yield word, "file"
    elif name in ("grep", "egrep", "fgrep", "zgrep"):
        patterns = 0 if command.has("-e", "-f", "--regexp", "--file") else 1
        for word in command.operands(("-e", "-f", "-m", "-A", "-B", "-C", "--regexp", "--include", "--exclude"))[
            patterns:
        ]:
            yield word, "file"
    elif name == "find":
        for word in command.arguments:
            if word.text.startswith(("-", "(", "!")):
                break
            yield word, "file"
    elif name == "tar" and command.texts:
        yield from _tar(command)
    elif name == "psql" and (file := command.value("-f", "--file")) is not None:
        yield file, "file"
    elif name == "pg_restore":
        options = ("-d", "--dbname", "-U", "-h", "-p", "-j", "-t", "-n", "--jobs", "-L", "--role", "-f")
        for word in command.operands(options)[:1]:
            yield word, "file"
    elif name in ("pg_dump", "pg_dumpall") and (file := command.value("-f", "--file")) is not None:
        yield file, "folder"
    elif name in _SOURCES and len(operands) > 1 and not command.has("-s", "--symbolic"):
        for word in operands[:-1]:
            yield word, "file"
    elif name in ("chmod", "chown") and len(operands) > 1:
        for word in operands[1:]:
            yield word, "file"
    for redirect in command.redirects:
        if redirect.operator == "<":
            yield redirect.target, "file"
        elif redirect.operator in (">", ">>", "&>", "&>>", ">|"):
            yield redirect.target, "folder"


def _tar(command: Command) -> Iterator[tuple[Word, str]]:
    first = command.texts[0]
    letters = first.lstrip("-") if re.fullmatch(r"-?[A-Za-z]+", first) else ""
    file = command.value("-f", "--file")
    if file is None and letters.endswith("f") and len(command.arguments) > 1:
        file = command.arguments[1]
    creates = "c" in letters or command.has("--create")
    if file is not None and file.text != "-":
        yield file, "folder" if creates else "file"
    if creates and not command.has("-C", "--directory"):
        rest = command.operands(("-f", "--file", "--exclude", "-X", first if letters.endswith("f") else "-f"))
        for word in rest if first.startswith("-") else rest[2:]:
            yield word, "file"


def made(command: Command, script: Script) -> Iterator[str]:
    """The paths that a command makes."""
    operands = command.operands(("-m", "--mode", "-b", "--branch", "--depth"))
    words: list[Word] = []
    if command.name in ("mkdir", "touch", "tee"):
        words = operands
    elif command.name in ("cp", "mv", "ln", "rsync", "install", "scp") and operands:
        words = operands[-1:]
    elif command.name == "git" and command.texts[:1] == ("clone",) and len(operands) > 1:
        words = operands[2:3] or [Word(operands[1].text.rstrip("/").rpartition("/")[2].removesuffix(".git"))]
    elif command.name in ("curl", "wget", "pg_dump", "pg_dumpall", "openssl"):
        words = [w for w in (command.value("-o", "--output", "-O", "-f", "--file", "-out"),) if w is not None]
    words += [r.target for r in command.redirects if r.operator in (">", ">>", "&>", ">|")]
    for word in words:
        word = script.value_of(word)
        place = script.resolved(command, word.text) if word.known else None
        if place and place not in (".", "/"):
            yield place


def units(command: Command) -> list[str]:
    """The systemd units that a command is about."""
    if command.elsewhere or command.has("--user", "-M", "--machine", "-H"):
        return []
    words: list[Word] = []
    if command.name == "systemctl":
        operands = command.operands(
            ("-p", "--property", "-n", "-o", "-t", "--type", "--state", "-s", "--signal", "--lines")
        )
        verbs = ("start", "stop", "restart", "reload", "status", "enable", "disable", "is-active", "is-enabled", "cat",
                 "reload-or-restart", "try-restart", "kill", "reset-failed", "show", "is-failed")  # fmt: skip
        if operands and operands[0].text in verbs:
            words = operands[1:]
    elif command.name == "journalctl":
        follows = [re.fullmatch(r"-[A-Za-z]*u|--unit", text) is not None for text in command.texts]
        words = [word for word, is_unit in zip(command.arguments[1:], follows, strict=False) if is_unit]
        glued = (re.fullmatch(r"(?:--unit=|-[A-Za-z]*u)(.+)", text) for text in command.texts)
        words += [Word(one[1]) for one in glued if one]
    elif command.name == "service" and len(command.arguments) > 1:
        words = [command.arguments[0]]
    return [word.text for word in words if word.known and re.fullmatch(r"(?!\d+$)[\w@.:\\-]{1,200}", word.text)]


@dataclass(frozen=True)
class LogSearch:
    """A grep over a file: letters of its options, its pattern."""

    path: str
    options: str
    pattern: str


def search(command: Command, script: Script) -> LogSearch | None:
    """The search of a file that a grep is, or is the end of, as in `tail -f FILE | grep -E PATTERN`."""
    if command.name not in ("grep", "egrep", "fgrep") or command.elsewhere or command.has("-v", "--invert-match", "-f"):
        return None
    options = {"egrep": {"E"}, "fgrep": {"F"}}.get(command.name, set())
    for text in command.texts:
        if re.fullmatch(r"-[A-Za-z]+", text):
            options |= set(text[1:]) & _LETTERS & set("EFiwP")
    long = {"--extended-regexp": "E", "--fixed-strings": "F", "--ignore-case": "i", "--word-regexp": "w"}
    options |= {long[text] for text in command.texts if text in long}
    given = command.value("-e", "--regexp")
    operands = command.operands(("-e", "-m", "-A", "-B", "-C", "--regexp", "--include", "--color"))
    pattern = given or next(iter(operands), None)
    files = operands if given else operands[1:]
    if pattern is None or "$" in pattern.text.rstrip("$") or not 0 < len(pattern.text) <= _LONGEST_PATTERN:
        return None
    if re.search(r"\\\d|[\x00-\x1f]|\ufffc", pattern.text):  # back references may take for ever
        return None
    if not files and command.before:
        feeder = next((c for c in script.commands if c.pipeline == command.pipeline), None)
        if feeder is None or feeder.name not in ("tail", "cat", "head") or len(command.before) != 1:
            return None
        files = feeder.operands(_WITH_VALUE)
    if len(files) != 1 or not files[0].known:
        return None
    return LogSearch(files[0].text, "".join(sorted(options)), pattern.text)


__all__ = ["LogSearch", "NamedPath", "made", "paths", "search", "units"]
