"""docs/reference/environment.md: every key of an environment file, from the models that read it."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from opsverify.config.environment import KINDS, Environment, HostEntry
from opsverify.reference.markdown import NOTE, linked, table
from opsverify.reference.uses import Use, checks_of, checks_of_environment

HEAD = f"""\
# Environment files

{NOTE}

What a file in `environments/` may say, key by key. How to write one: [the tutorial](../tutorial.md) and
[describe an environment](../how-to/environment-file.md). Editors complete and check these keys by
`environments/schema.json`.

- Whatever is text may come from outside: `${{VAR}}`, `${{VAR:-default}}`, `${{file:/run/secrets/x}}`. What is a
  *secret* must: a literal one is a mistake.
- An unknown key is a mistake, and all mistakes of a file are listed at once.
- *Used by* names the checks for which a key matters. Where it is empty, all checks of the section look at it, or need
  it to reach their target.

"""

_HEADS = ("Key", "Type", "Default", "Meaning", "Used by")
_PLAIN = {str: "text", int: "integer", float: "number", bool: "true or false", Path: "path on this machine"}


def document(uses: Mapping[str, Use]) -> str:
    """The page."""
    whole = [name for name in _keys(Environment) if name not in KINDS]
    parts = [HEAD, "## The environment itself\n\n"]
    parts.append(_table(Environment, lambda key: _links(checks_of_environment(key, uses)), whole))
    for kind, target in KINDS.items():
        model: type[BaseModel] = HostEntry if kind == "hosts" else target
        looking = [item for item, use in uses.items() if kind in use.kinds]
        optional = " Need not be listed, nor excused." if target.optional else ""
        about = f"{_about(model)}{optional} Each has a name of its own."
        parts += [f"\n## {kind}\n\n{about}\n\nLooked at by {_links(looking)}.\n\n"]
        parts += [_table(model, partial(_used_by, kind, looking, uses))]
    for nested in _nested():
        parts += [f"\n## {nested.__name__}\n\n{_about(nested)}\n\n", _table(nested)]
    return "".join(parts)


def _used_by(kind: str, looking: Sequence[str], uses: Mapping[str, Use], key: str) -> str:
    return _used(checks_of(key, kind, uses) or (), looking)


def _about(model: type[BaseModel]) -> str:
    """The first sentences of its docstring."""
    return " ".join((inspect.getdoc(model) or "").partition("\n\n")[0].split())


def _links(checks: Sequence[str]) -> str:
    return ", ".join(f"[`{one}`](checks.md#{one})" for one in checks)


def _used(checks: Sequence[str], looking: Sequence[str]) -> str:
    """Those checks, or all but the others where that is shorter to say."""
    others = [one for one in looking if one not in checks]
    if set(checks) <= set(looking) and len(others) < len(checks):
        return f"all but {_links(others)}" if others else ""
    return _links(checks)


def _table(model: type[BaseModel], used: Callable[[str], str] | None = None, keys: Iterable[str] | None = None) -> str:
    rows = []
    for key in keys or _keys(model):
        field = model.model_fields[key]
        row = [f"`{key}`", _type(field.annotation, field), _default(field), linked(field.description or "", "../")]
        rows.append((field.is_required(), [*row, used(key)] if used else row))
    return table(_HEADS if used else _HEADS[:-1], [row for _, row in sorted(rows, key=lambda one: not one[0])])


def _keys(model: type[BaseModel]) -> list[str]:
    """What a file may say; a few fields are filled in by the suite itself."""
    return list(model.model_json_schema(mode="validation")["properties"])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    value = field.get_default(call_default_factory=True)
    value = value.value if isinstance(value, Enum) else value
    if isinstance(value, BaseModel):
        return ", ".join(f"`{key}: {part:g}`" for key, part in value.model_dump().items())
    if value is None or value in ("", (), {}):
        return ""
    return f"`{', '.join(map(str, value)) if isinstance(value, tuple) else value}`"


def _type(annotation: Any, field: FieldInfo | None = None) -> str:
    """In words; the limits of a number come with its field."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in (Union, types.UnionType):
        kinds = dict.fromkeys(_type(one) for one in arguments if one is not type(None))
        return " or ".join(kinds) + _limits(field)
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in arguments)
    if origin is tuple:
        return f"list: {_type(arguments[0])}"
    if origin is dict:
        return f"mapping: name → {_type(arguments[1])}"
    if annotation is SecretStr:
        return "text, *secret*"
    if annotation in KINDS.values():
        return f"as under [{annotation.kind}](#{annotation.kind})"
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return ", ".join(f"`{one.value}`" for one in annotation)
    if annotation is datetime:
        return "date or time"
    return _PLAIN.get(annotation, "anything" if annotation is Any else "text") + _limits(field)


def _limits(field: FieldInfo | None) -> str:
    """ " 1 to 10" where a number has limits."""
    found: dict[str, Any] = {}
    for one in field.metadata if field else ():
        found.update({name: getattr(one, name) for name in ("ge", "gt", "le") if getattr(one, name, None) is not None})
    if "le" not in found:
        return ""
    least = f"{found['ge']:g}" if "ge" in found else f"more than {found['gt']:g}" if "gt" in found else "up"
    return f", {least} to {found['le']:g}"


def _nested() -> Iterator[type[BaseModel]]:
    """The models within others, in the order in which they are met; targets have sections of their own."""
    seen: list[type[BaseModel]] = []

    def meet(annotation: Any) -> None:
        if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
            if annotation not in seen:
                if annotation not in KINDS.values():
                    seen.append(annotation)
                for key in _keys(annotation):
                    meet(annotation.model_fields[key].annotation)
            return
        for argument in get_args(annotation):
            meet(argument)

    meet(Environment)
    yield from (model for model in seen if model not in (Environment, HostEntry))
