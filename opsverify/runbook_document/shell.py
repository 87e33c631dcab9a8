"""Shell commands as a parser reads them (tree-sitter's grammar of bash): nothing here runs anything. Pure.

Where the grammar does not understand a block, each of its lines is tried for itself, so that one line costs no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from posixpath import basename, join, normpath
from typing import TYPE_CHECKING, Any

from opsverify.runbook_document.blocks import PLACEHOLDER, Block, without_placeholders

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_UNKNOWN = re.compile(
    r"\$|[*?\[\]{}~]|(?i:yyyy|mmdd|hhmm|xxx|\byour[-_])|\.\.\.|…|[○×]|\ufffc"
    r"|[\u3000-\u30ff\u3400-\u9fff\uff01-\uff60]"  # placeholders are in Japanese, paths of servers are not
)
"""What makes a word something to be filled in, by the shell or by a person."""
_DEEPEST = 60
"""How deep commands may be nested to be looked at."""


@dataclass(frozen=True)
class Word:
    """A word of a command: `text` without its quotes, expansions as they are written."""

    text: str
    quoted: bool = False

    @property
    def known(self) -> bool:
        """Whether it is what it says: no variable, pattern or placeholder in it."""
        return bool(self.text) and not (_UNKNOWN.search(self.text) or _DATED.search(self.text))


_DATED = re.compile(r"(?<!\d)(?:19|20)\d{2}[01]\d[0-3]\d(?!\d)")
"""A day in a file's name is an example: db_20250809_120000.sql."""


@dataclass(frozen=True)
class Redirect:
    """`> file`: its operator and where to; for a here-document, its text and the line that begins at."""

    operator: str
    target: Word
    body: str = ""
    body_line: int = 0


@dataclass(frozen=True)
class Command:
    """A simple command, without sudo and the like before it."""

    name: str
    """The program, without its folder."""
    words: tuple[Word, ...]
    """All words, the program's first."""
    redirects: tuple[Redirect, ...]
    line: int
    quote: str
    """Its line of the document."""
    before: tuple[str, ...] = ()
    """Names of the commands that are piped into it, `after` those that it is piped into."""
    after: tuple[str, ...] = ()
    pipeline: int = 0
    """Commands of one pipeline have the same number."""
    tested: bool = False
    """Whether something is done by how it, or the pipeline that it is in, ends: `if`, `&&`, `||`, `$?`."""
    rescued: bool = False
    """Whether something is done when it fails: `|| exit 1`, `if`."""
    elsewhere: bool = False
    """Whether it runs on another machine or in a container."""
    index: int = 0

    @property
    def arguments(self) -> tuple[Word, ...]:
        return self.words[1:]

    @property
    def texts(self) -> tuple[str, ...]:
        """The arguments as text."""
        return tuple(word.text for word in self.arguments)

    def has(self, *options: str) -> bool:
        """Whether an option is given: `-f`, also within `-fsS`, or `--fail`, also as `--fail=x`."""
        for text in self.texts:
            for option in options:
                if option.startswith("--"):
                    if text == option or text.startswith(f"{option}="):
                        return True
                elif text == option or (re.fullmatch(r"-[A-Za-z]{2,}", text) and option[1] in text[1:]):
                    return True
        return False

    def value(self, *options: str) -> Word | None:
        """The word behind an option: `-d x`, `-dx`, `--dbname=x`."""
        for index, word in enumerate(self.arguments):
            for option in options:
                if word.text == option and index + 1 < len(self.arguments):
                    return self.arguments[index + 1]
                glued = f"{option}=" if option.startswith("--") else option
                if word.text.startswith(glued) and len(word.text) > len(glued):
                    return Word(word.text[len(glued) :], word.quoted)
        return None

    def operands(self, with_value: Sequence[str] = ()) -> list[Word]:
        """The arguments that are no options; `with_value` are the options that take a word."""
        result, skip, ended = [], False, False
        for word in self.arguments:
            if skip:
                skip = False
            elif word.text == "--" and not ended:
                ended = True
            elif word.text.startswith("-") and word.text != "-" and not ended:
                skip = word.text in with_value
            else:
                result.append(word)
        return result


@dataclass(frozen=True)
class Script:
    """A block of commands. `assigned`: what its variables are set to; `folders`: where `cd` leads, by command."""

    block: Block
    commands: tuple[Command, ...]
    options: frozenset[str]
    """errexit, nounset, pipefail."""
    assigned: dict[str, Word] = field(hash=False)
    folders: tuple[str | None, ...]
    """For each command the folder it runs in, "" for where the block begins; None where that is not known."""
    not_understood: tuple[int, ...]
    """Lines of the document that are no shell that is understood."""
    bases: tuple[str, ...] = ()
    """Folders that commands of earlier blocks changed into."""
    made: frozenset[str] = frozenset()
    """Paths that commands of the document make themselves."""

    def unpacked_before(self, command: Command) -> bool:
        """Whether something was unpacked, cloned or created before, which brings files that nobody knows of."""
        return any(_brings_files(earlier) for earlier in self.commands[: command.index])

    def following(self, command: Command) -> tuple[Command, ...]:
        """The commands behind it."""
        return self.commands[command.index + 1 :]

    def resolved(self, command: Command, path: str) -> str | None:
        """A path as that command sees it, normal; relative where the block's own folder is not known."""
        folder = self.folders[command.index]
        if path.startswith("/"):
            return normpath(path)
        return None if folder is None else normpath(join(folder, path))

    def value_of(self, word: Word) -> Word:
        """A word with the variables that the block itself sets filled in."""
        text = re.sub(
            r"\$(?:\{(\w+)\}|(\w+))",
            lambda m: self.assigned[m[1] or m[2]].text if (m[1] or m[2]) in self.assigned else m[0],
            word.text,
        )
        return Word(text, word.quoted)


def _brings_files(command: Command) -> bool:
    words = command.texts
    if command.name == "tar":
        into = command.value("-C", "--directory")
        if into is not None and into.text.startswith("/"):
            return False
        return bool(words) and (bool(re.match(r"-?[A-Za-z]*x", words[0])) or command.has("--extract"))
    if command.name in ("npx", "npm", "pnpm", "yarn", "git", "nest", "cargo", "dart", "flutter"):
        return bool(words) and bool(re.match(r"create|init|new|clone|dlx", words[0]))
    return command.name in ("unzip", "gunzip", "make", "cmake", "pg_basebackup")


def script_of(block: Block) -> Script | None:
    """The commands of a block; None where it is none of a shell's."""
    typed = block.shell
    if typed is None:
        return None
    return parse(block, typed)


def parse(block: Block, typed: str) -> Script:
    """Read what is typed. Never raises for what is no shell: those lines are named."""
    # The grammar ends a word at the dollar of `db_$DATE.sql`, and not at that of `db_${DATE}.sql`.
    text = re.sub(r"(?<=[\w.:@%+/-])\$([A-Za-z_]\w*)", r"${\1}", without_placeholders(typed))
    root = _tree(text)
    quotes = typed.split("\n")
    reader = _Reader(block, quotes)
    if not root.has_error:
        reader.read(root, 0)
    else:
        for first, part in _lines(text):
            if _only_keywords(part):
                continue
            readings = (_tree(one) for one in (_completed(part), part))
            whole = next((node for node in readings if not node.has_error), None)
            if whole is None:
                reader.not_understood.append(block.line + first)
            else:
                reader.read(whole, first)
    return reader.script()


def _tree(text: str) -> Node:
    return _parser().parse(text.encode()).root_node


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


_KEYWORD = re.compile(r"\s*(?:then|else|fi|do|done|esac|\{|\}|\)|;;)\s*;?\s*")


def _only_keywords(text: str) -> bool:
    """Whether there is nothing on the line but a piece of a compound command."""
    return bool(_KEYWORD.fullmatch(text.strip("\n")))


def _completed(text: str) -> str:
    """A line that begins or ends a compound command, as a whole one: what it runs is looked at by itself."""
    line = re.sub(r"^(\s*)(?:then|else|do)\s+", r"\1", text.strip("\n"))
    line = re.sub(r";\s*(?:fi|done|esac)\s*;?\s*$", "", re.sub(r"^(\s*)elif\b", r"\1if", line))
    begins = re.match(r"\s*(if|while|until|for|case)\b", line)
    if begins is None:
        return line + "\n"
    opening, end = {"if": ("then", "fi"), "case": ("in", "esac")}.get(begins[1], ("do", "done"))
    if begins[1] == "case":
        return f"{line} {end}\n"
    if re.search(rf"(?:^|[\s;]){opening}\s*$", line):
        return f"{line} :; {end}\n"
    if re.search(rf"[;\s]{opening}\s", line):
        return f"{line.rstrip().rstrip(';')}; {end}\n"
    return f"{line.rstrip().rstrip(';')}; {opening} :; {end}\n"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines as the shell takes them, with the number of their first from 0: continued ones and here-documents whole."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        first, part = at, lines[at]
        while part.rstrip("\r").endswith("\\") and at + 1 < len(lines):
            at += 1
            part += "\n" + lines[at]
        here = re.search(r"(?<!<)<<(?!<)-?\s*(['\"]?)([\w.-]+)\1", part)
        if here and any(line.strip() == here[2] for line in lines[at + 1 :]):
            while lines[at].strip() != here[2]:
                at += 1
                part += "\n" + lines[at]
        if part.strip():
            yield first, part + "\n"
        at += 1


class _Reader:
    def __init__(self, block: Block, quotes: list[str]) -> None:
        self.block, self.quotes = block, quotes
        self.commands: list[Command] = []
        self.options: set[str] = set()
        self.assigned: dict[str, Word] = {}
        self.folders: list[str | None] = []
        self.folder: str | None = ""
        self.not_understood: list[int] = []
        self.pipelines = 0
        self.first = 0
        if match := re.match(r"\s*#!\S*(?:\s+\S*sh)?\s+-(\w+)", block.text):
            self._set([f"-{match[1]}"])

    def script(self) -> Script:
        numbered = tuple(replace(command, index=index) for index, command in enumerate(self.commands))
        return Script(
            self.block, numbered, frozenset(self.options), self.assigned, tuple(self.folders),
            tuple(self.not_understood),
        )  # fmt: skip

    def read(self, root: Node, first: int) -> None:
        self.first = first
        self._walk(root, 0, {})

    def _walk(self, node: Node, depth: int, context: dict[str, Any]) -> None:
        if depth > _DEEPEST:
            return
        if node.type in ("command", "redirected_statement", "pipeline"):
            self._pipeline(node, depth, context)
            return
        if node.type == "variable_assignment":
            self._assignment(node)
        children = node.children
        if node.type == "list":
            operator = next((c.type for c in children if c.type in ("&&", "||")), "")
            for index, child in enumerate(children):
                more = {"tested": True} if index == 0 or context.get("tested") else {}
                if operator == "||" and index == 0:
                    more["rescued"] = True
                self._walk(child, depth + 1, {**context, **more})
            return
        before = self.folder
        condition = node.type in ("if_statement", "elif_clause", "while_statement")
        in_condition = condition
        for child in children:
            if child.type in ("then", "do", "do_group"):
                in_condition = False
            more = {"tested": True, "rescued": True} if in_condition else {}
            if node.type in ("if_statement", "elif_clause", "while_statement") and not in_condition:
                more = {"tested": False, "rescued": False}
            self._walk(child, depth + 1, {**context, **more})
        if node.type in ("subshell", "command_substitution"):
            self.folder = before

    def _assignment(self, node: Node) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None:
            return
        word = _word(value) if value is not None else Word("")
        key = _text(name)
        # Set twice to something else, it is not known which one counts.
        self.assigned[key] = word if self.assigned.get(key, word) == word else Word(f"${key}")

    def _pipeline(self, node: Node, depth: int, context: dict[str, Any]) -> None:
        self.pipelines += 1
        parts, behind = list(_parts(node, ())), _behind(node)
        if behind:
            context = {**context, "tested": True, "rescued": context.get("rescued") or behind[0][0] == "||"}
        names = [_name(command) for command, _ in parts]
        for position, (command, redirects) in enumerate(parts):
            if command.type != "command":
                self._walk(command, depth + 1, context)
                continue
            made = self._command(command, redirects)
            if made is not None:
                made = replace(
                    made,
                    before=tuple(names[:position]),
                    after=tuple(names[position + 1 :]),
                    pipeline=self.pipelines,
                    tested=bool(context.get("tested")),
                    rescued=bool(context.get("rescued")),
                )
                self._add(made)
            for inner in command.children:
                self._inside(inner, depth + 1)
        for _, right in behind:
            self._walk(right, depth + 1, {"tested": right != behind[-1][1]})

    def _inside(self, node: Node, depth: int) -> None:
        """The commands within `$(…)` in a word."""
        if depth > _DEEPEST:
            return
        if node.type in ("command_substitution", "process_substitution"):
            for child in node.children:
                self._walk(child, depth + 1, {})
            return
        for child in node.children:
            self._inside(child, depth + 1)

    def _add(self, command: Command) -> None:
        self.commands.append(command)
        self.folders.append(self.folder)
        if command.name == "cd":
            target = next(iter(command.operands()), None)
            known = target is not None and self.folder is not None and target.known and target.text != "-"
            self.folder = normpath(join(self.folder or "", target.text)) if known and target else None
        elif command.name == "set":
            self._set(list(command.texts))

    def _set(self, words: list[str]) -> None:
        names = {"e": "errexit", "u": "nounset"}
        for index, word in enumerate(words):
            if not word.startswith("-"):
                continue
            self.options |= {names[letter] for letter in word[1:] if letter in names}
            if "o" in word:
                following = words[index + 1] if index + 1 < len(words) else ""
                self.options |= {following} & {"pipefail", "errexit", "nounset"}

    def _command(self, node: Node, redirects: tuple[Node, ...]) -> Command | None:
        words: list[Word] = []
        for child in node.children:
            if child.type == "command_name":
                words.append(_word(child.children[0] if child.children else child))
            elif node.field_name_for_child(node.children.index(child)) == "argument":
                words.append(_word(child))
        if not words:
            return None
        row = node.start_point[0] + self.first
        quote = self.quotes[row].strip() if row < len(self.quotes) else ""
        made = [one for redirect in redirects if (one := self._redirect(redirect)) is not None]
        own = [c for c in node.children if c.type in ("file_redirect", "heredoc_redirect", "herestring_redirect")]
        made += [one for redirect in own if (one := self._redirect(redirect)) is not None]
        words, elsewhere = unwrapped(words)
        if not words:
            return None
        return Command(
            basename(words[0].text) or words[0].text, tuple(words), tuple(made), self.block.line + row, quote,
            elsewhere=elsewhere,
        )  # fmt: skip

    def _redirect(self, node: Node) -> Redirect | None:
        if node.type == "heredoc_redirect":
            body = next((child for child in node.children if child.type == "heredoc_body"), None)
            if body is None:
                return None
            return Redirect("<<", Word(""), _text(body), self.block.line + self.first + body.start_point[0])
        operator = next((_text(c) for c in node.children if c.type in _OPERATORS), "")
        target = node.child_by_field_name("destination")
        return Redirect(operator, _word(target)) if operator and target is not None else None


_OPERATORS = ("<", ">", ">>", "&>", "&>>", ">|", "<<<", ">&", "<&")
_WRAPPERS = {
    "sudo": ("-u", "-g", "-U", "-h", "-p", "-C", "-D", "-r", "-t", "--user", "--group"),
    "doas": ("-u", "-C"),
    "env": ("-u", "-C"),
    "nice": ("-n",),
    "ionice": ("-c", "-n"),
    "timeout": ("-k", "-s", "--signal", "--kill-after"),
    "nohup": (), "time": (), "exec": ("-a",), "command": (), "builtin": (), "stdbuf": ("-o", "-e", "-i"),
    "watch": ("-n",), "runuser": ("-u", "-g"), "setsid": (), "xargs": ("-n", "-P", "-I", "-L", "-d", "-a"),
}  # fmt: skip
_ELSEWHERE = ("ssh", "scp", "kubectl", "lxc", "vagrant", "mosh", "heroku", "fly", "gcloud", "aws")


def unwrapped(words: list[Word]) -> tuple[list[Word], bool]:
    """The words without `sudo` and the like, and whether what is left runs elsewhere."""
    for _ in range(5):
        if not words:
            return [], False
        name = basename(words[0].text)
        if name in _WRAPPERS and len(words) > 1:
            rest, with_value = words[1:], _WRAPPERS[name]
            while rest and rest[0].text.startswith("-"):
                rest = rest[2:] if rest[0].text in with_value else rest[1:]
            if name == "timeout":
                rest = rest[1:]
            while rest and name in ("env", "sudo") and re.match(r"\w+=", rest[0].text):
                rest = rest[1:]
            if not rest:
                return words, False
            words = rest
            continue
        elsewhere = name in _ELSEWHERE or (
            name in ("docker", "podman", "docker-compose") and any(w.text in ("exec", "run", "cp") for w in words[1:4])
        )
        return words, elsewhere
    return words, False


def _parts(node: Node, redirects: tuple[Node, ...]) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """The commands of a pipeline with their redirections. One at its end belongs to its last command."""
    if node.type == "redirected_statement":
        body = node.child_by_field_name("body")
        own = tuple(child for child in node.children if child.type.endswith("_redirect"))
        # `psql <<EOF | tee log`: the grammar hangs the rest of the pipeline to the here-document.
        if body is None:
            return
        yield from _parts(body, (*own, *redirects))
        for redirect in own:
            for child in redirect.children:
                if child.type in ("pipeline", "command", "redirected_statement"):
                    yield from _parts(child, ())
        return
    if node.type == "pipeline":
        members = [child for child in node.children if child.is_named and child.type != "comment"]
        for member in members:
            while member.type == "list" and member != members[0]:
                member = member.children[0]
            yield from _parts(member, redirects if member == members[-1] else ())
        return
    if node.type == "negated_command" and len(node.named_children) == 1:
        yield from _parts(node.named_children[0], redirects)
        return
    yield node, redirects


def _behind(node: Node) -> list[tuple[str, Node]]:
    """What follows a pipeline with `&&` and `||`. Of `a | b | c || d`, the grammar makes `a | (b | c || d)`."""
    behind: list[tuple[str, Node]] = []
    last = node.children[-1] if node.type == "pipeline" else node
    while last.type == "list":
        operator = next((child.type for child in last.children if child.type in ("&&", "||")), "")
        behind.insert(0, (operator, last.children[-1]))
        last = last.children[0]
    return behind


def _name(node: Node) -> str:
    if node.type != "command":
        return ""
    words = [_word(child) for child in node.children if child.type not in ("variable_assignment", "file_redirect")]
    words, _ = unwrapped(words)
    return basename(words[0].text) if words else ""


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _word(node: Node) -> Word:
    return Word(_plain(node, 0), node.type in ("string", "raw_string"))


def _plain(node: Node, depth: int) -> str:
    text = _text(node)
    if node.type == "raw_string":
        return text[1:-1]
    if node.type in ("ansi_c_string", "translated_string"):
        return f"$ {text}"  # its escapes are not read: not known
    if node.type in ("simple_expansion", "expansion", "command_substitution", "process_substitution"):
        return text if text.startswith("$") else f"${text}"
    if node.type == "arithmetic_expansion":
        return text
    if node.type == "string" and depth < _DEEPEST:
        # The grammar has no node for blanks between two expansions: they are taken from the text.
        inner, at, parts = text[1:-1], node.start_byte + 1, []
        raw = inner.encode()
        for child in node.children[1:-1]:
            parts.append(
                raw[at - node.start_byte - 1 : child.start_byte - node.start_byte - 1].decode("utf-8", "replace")
            )
            parts.append(_plain(child, depth + 1))
            at = child.end_byte
        parts.append(raw[at - node.start_byte - 1 :].decode("utf-8", "replace"))
        return re.sub(r'\\([$`"\\])', r"\1", "".join(parts))
    if node.type == "concatenation" and depth < _DEEPEST:
        return "".join(_plain(child, depth + 1) for child in node.children)
    if node.type == "command_name" and node.children:
        return _plain(node.children[0], depth + 1)
    if node.type == "word":
        return re.sub(r"\\(.)", r"\1", text)
    return text


__all__ = ["PLACEHOLDER", "Command", "Redirect", "Script", "Word", "parse", "script_of", "unwrapped"]
