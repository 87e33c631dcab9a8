"""The smallest change of a file's text by which it agrees: every other character stays as the operator wrote it.

A round trip through a YAML library keeps comments but moves those between two sections, and folds long lines; so values
are replaced, and entries put in, at the places that PyYAML's own marks tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsverify.config.yaml_file import Nodes
from opsverify.discover.difference import Change
from opsverify.discover.writing import entry_lines, flow, scalar
from opsverify.reporting.text import Redactor


@dataclass(frozen=True)
class Edited:
    """The new text, and the changes that could not be made in it, each with the reason."""

    text: str
    refused: tuple[str, ...]


@dataclass(frozen=True)
class _Cut:
    start: int
    end: int
    text: str


class _Refused(Exception):
    """A change that would touch more than itself."""


def edited(text: str, changes: Sequence[Change], path: Path, redactor: Redactor) -> Edited:
    """Make the changes in a file's text. Pure. `path`: how messages call the file."""
    mark, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    ending = "\r\n" if "\r\n" in text else "\n"
    nodes = Nodes(text, path)
    cuts: list[_Cut] = []
    refused: list[str] = []
    taken = {(kind, name) for kind, body in _pairs(nodes, nodes.root) for name, _ in _pairs(nodes, body)}
    sections: dict[str, list[str]] = {}
    for change in changes:
        try:
            if change.what == "changed":
                cuts.append(_replaced(nodes, change, text))
            elif change.what == "new" and change.entry is not None:
                entry = change.entry
                while (entry.kind, entry.name) in taken:
                    entry.name = _next(entry.name)
                taken.add((entry.kind, entry.name))
                sections.setdefault(entry.kind, []).extend(entry_lines(entry, redactor, _indent(nodes, entry.kind)))
        except _Refused as why:
            refused.append(f"{change.kind}.{change.name}{f'.{change.key}' if change.key else ''}: {why}")
    gone = [change.key for change in changes if change.what == "excused"]
    try:
        cuts += _taken_back(nodes, gone, text) if gone else []
    except _Refused as why:
        refused.append(f"not_applicable: {why}")
    end = []
    for kind, lines in sections.items():
        try:
            cuts.append(_inserted(nodes, kind, lines, text))
        except KeyError:
            end += ["", f"{kind}:", *lines]
        except _Refused as why:
            refused.append(f"{kind}: {why}")
    for cut in sorted(cuts, key=lambda cut: cut.start, reverse=True):
        text = text[: cut.start] + cut.text.replace("\n", ending) + text[cut.end :]
    if end:
        text = text.rstrip("\r\n") + ending + ending.join([*end, ""])
    return Edited(mark + text, tuple(refused))


def _next(name: str) -> str:
    match = re.fullmatch(r"(.*)-(\d{1,3})", name)
    return f"{match[1]}-{int(match[2]) + 1}" if match else f"{name}-2"


def _pairs(nodes: Nodes, node: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values of a mapping as they stand in the file, merged ones left out; nothing of anything else."""
    if node is not None and type(node).__name__ == "MappingNode":
        for key, value in node.value:
            if type(key).__name__ == "ScalarNode" and key.tag != "tag:yaml.org,2002:merge":
                yield str(key.value), value


def _find(nodes: Nodes, *keys: str) -> Any:
    node: Any = nodes.root
    for key in keys:
        node = dict(_pairs(nodes, node)).get(key)
        if node is None:
            raise KeyError(key)
    return node


def _key_of(nodes: Nodes, *keys: str) -> Any:
    parent: Any = _find(nodes, *keys[:-1]) if len(keys) > 1 else nodes.root
    return next(key for key, _ in parent.value if str(getattr(key, "value", "")) == keys[-1])


def _replaced(nodes: Nodes, change: Change, text: str) -> _Cut:
    new = flow(change.new)
    try:
        section, body = _find(nodes, change.kind), _find(nodes, change.kind, change.name)
    except KeyError:
        raise _Refused("it stands for several hosts, or is merged in: change it by hand") from None
    if {id(section), id(body)} & _shared(nodes.root):
        raise _Refused(f"it stands in several places by an alias: make {change.key} {new} by hand")
    try:
        node = _find(nodes, change.kind, change.name, change.key)
    except KeyError:
        return _added(nodes, body, change, new)
    start, end = node.start_mark.index, node.end_mark.index
    was = text[start:end]
    if was.startswith("&") or "${" in was:
        raise _Refused(f"its value is {'a variable' if '${' in was else 'an anchor'}: make it {new} by hand")
    if "\n" in was:
        raise _Refused(f"its value goes over lines: make it {new} by hand")
    return _Cut(start, end, new)


def _shared(root: Any) -> set[int]:
    """The nodes that more than one place of a document refers to."""
    met: set[int] = set()
    shared: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in met:
            shared.add(id(node))
            continue
        met.add(id(node))
        for part in node.value if isinstance(getattr(node, "value", None), list) else ():
            waiting += part if isinstance(part, tuple) else (part,)
    return shared


def _added(nodes: Nodes, body: Any, change: Change, new: str) -> _Cut:
    """A key that an entry lacks."""
    pairs = list(body.value) if type(body).__name__ == "MappingNode" else []
    if not pairs:
        raise _Refused(f"it has no mapping: add {change.key}: {new} by hand")
    key, value = pairs[0]
    if body.flow_style:
        return _Cut(value.end_mark.index, value.end_mark.index, f", {scalar(change.key)}: {new}")
    return _Cut(
        key.start_mark.index, key.start_mark.index, f"{scalar(change.key)}: {new}\n" + " " * key.start_mark.column
    )


def _taken_back(nodes: Nodes, keys: Sequence[str], text: str) -> Iterator[_Cut]:
    """The lines of these excuses, and the section's own where there is no other."""
    section = _find(nodes, "not_applicable")
    if section.flow_style:
        raise _Refused(f"it is written in braces: delete {', '.join(keys)} by hand")
    for key in keys:
        start, end = _key_of(nodes, "not_applicable", key).start_mark, _find(nodes, "not_applicable", key).end_mark
        yield _lines(start.index, end.index, text)
    if len(section.value) == len(keys):
        head = _key_of(nodes, "not_applicable")
        yield _lines(head.start_mark.index, head.end_mark.index, text)


def _lines(start: int, end: int, text: str) -> _Cut:
    """The whole lines from one place to another."""
    end = start + len(text[start:end].rstrip())  # a block scalar's mark stands before what comes next
    stop = text.find("\n", end)
    return _Cut(text.rfind("\n", 0, start) + 1, len(text) if stop < 0 else stop + 1, "")


def _indent(nodes: Nodes, kind: str) -> int:
    try:
        section = _find(nodes, kind)
    except KeyError:
        return 2
    return section.value[0][0].start_mark.column if getattr(section, "value", None) else 2


def _inserted(nodes: Nodes, kind: str, lines: list[str], text: str) -> _Cut:
    """New entries behind the last one of their section."""
    section = _find(nodes, kind)
    if type(section).__name__ != "MappingNode" or section.flow_style or not section.value:
        raise _Refused("the section is no block mapping: add by hand\n" + "\n".join(lines))
    last = section.value[-1][1]
    while type(last).__name__ == "MappingNode" and not last.flow_style and last.value:
        last = last.value[-1][1]
    at = last.end_mark.index
    if type(last).__name__ == "SequenceNode" and not last.flow_style:
        at = last.value[-1].end_mark.index if last.value else at
    at = len(text[:at].rstrip())
    end = text.find("\n", at)
    if end < 0:
        return _Cut(len(text), len(text), "\n" + "\n".join(lines) + "\n")
    return _Cut(end + 1, end + 1, "\n".join(lines) + "\n")


__all__ = ["Edited", "edited"]
