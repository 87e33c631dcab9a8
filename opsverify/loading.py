"""Read the suite's YAML files and list every mistake in them at once, before anything is contacted.

A value may take `${VAR}`, `${VAR:-default}` or `${file:/path}`; `$$` is a literal dollar sign. What comes in this way
can be a secret; a literal password in a file is a mistake.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

from opsverify.environment import KINDS, Environment
from opsverify.errors import ConfigurationError
from opsverify.items import Item

_REFERENCE = re.compile(r"\$\$|\$\{(?P<body>[^{}]*)\}")
_SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|KEY|DSN|CREDENTIAL|AUTH", re.IGNORECASE)

Path_ = tuple[str, ...]


@dataclass(frozen=True)
class Loaded:
    """An environment with its items as it overrides them, and the secret values that must never be shown."""

    environment: Environment
    items: dict[str, Item]
    secrets: frozenset[str]
    path: Path


@dataclass
class _Filled:
    """A YAML tree after substitution: where values came from outside, and what was wrong on the way."""

    tree: Any = None
    outside: set[Path_] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    mistakes: list[str] = field(default_factory=list)


def read_yaml(path: Path) -> Any:
    """The content of a YAML 1.2 file.

    Raises ConfigurationError when it cannot be read, is no YAML, or repeats a key (which YAML readers otherwise
    settle silently for the last one).
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    class PlainDates(SafeConstructor):
        """Leaves dates to our models: an impossible one is a mistake among others, not the end of reading."""

    PlainDates.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = PlainDates
    try:
        return yaml.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError([f"{path}: found no readable file ({error.strerror}), allowed a YAML file"]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([f"{path}: found bytes that are not UTF-8, allowed a YAML file"]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}" if mark else ""
        problem = " ".join(str(error.problem or error.context or "a mistake").split())
        raise ConfigurationError([f"{path}{where}: found {problem}, allowed YAML"]) from None
    except (YAMLError, RecursionError, ValueError, TypeError) as error:
        raise ConfigurationError([f"{path}: found no YAML ({type(error).__name__}), allowed YAML"]) from None


def load_items(path: Path) -> dict[str, Item]:
    """The runbook's items by id from `checks/runbook.yaml`; raises ConfigurationError with every mistake."""
    raw = read_yaml(path)
    if not isinstance(raw, dict):
        raise ConfigurationError([f"{path}: found {_shown(raw)}, allowed a mapping from item id to its description"])
    items: dict[str, Item] = {}
    mistakes: list[str] = []
    for key, body in raw.items():
        try:
            items[str(key)] = Item.model_validate({**body, "id": str(key)} if isinstance(body, dict) else body)
        except ValidationError as error:
            mistakes += [_line(path, (str(key), *map(str, e["loc"])), e) for e in error.errors()]
    if mistakes:
        raise ConfigurationError(mistakes)
    return items


def laid_over(tree: Mapping[str, Any], *changes: Mapping[str, Any]) -> dict[str, Any]:
    """A tree with some things said differently, mapping by mapping."""
    result = dict(tree)
    for one in changes:
        for key, value in one.items():
            old = result.get(key)
            both = isinstance(old, Mapping) and isinstance(value, Mapping)
            result[key] = laid_over(old, value) if both else value  # type: ignore[arg-type]
    return result


def load_environment(
    path: Path,
    items: Mapping[str, Item],
    variables: Mapping[str, str] | None = None,
    changes: Sequence[Mapping[str, Any]] = (),
) -> Loaded:
    """Read one environment file, with `changes` laid over it.

    `variables` are looked up before the process environment. Raises ConfigurationError with all mistakes of the file:
    unset variables, unknown keys, wrong values, literal secrets, references to targets that do not exist, kinds of
    targets that are neither listed nor declared not applicable, overrides that do not fit their check.
    """
    values = {**os.environ, **(variables or {})}
    raw = read_yaml(path)
    filled = _fill(laid_over(raw, *changes) if isinstance(raw, dict) else raw, values)
    mistakes = [f"{path}: {text}" for text in filled.mistakes]
    tree = filled.tree
    if not isinstance(tree, dict):
        raise ConfigurationError([*mistakes, f"{path}: found {_shown(tree)}, allowed a mapping; see environments/"])
    broken = {text.split(":", 1)[0] for text in filled.mistakes}
    named = _named(tree, path.stem)
    environment: Environment | None = None
    try:
        environment = Environment.model_validate(named)
    except ValidationError as error:
        for e in error.errors():
            line = _line(path, tuple(map(str, e["loc"])), e)
            if ".".join(map(str, e["loc"])) not in broken:
                mistakes.append(line)
    mistakes += [f"{path}: {text}" for text in _cross_checks(named, items)]
    mistakes += [f"{path}: {text}" for text in _literal_secrets(tree, filled.outside)]
    adjusted = dict(items)
    if environment is not None:
        for key, override in environment.checks.items():
            if key in items:
                try:
                    adjusted[key] = items[key].overridden(override)
                except ValueError as problem:
                    mistakes.append(f"{path}: checks.{key}.{problem}")
    if mistakes or environment is None:
        raise ConfigurationError(list(dict.fromkeys(mistakes)))
    return Loaded(environment, adjusted, frozenset(filled.secrets | set(_secrets(environment))), path)


def one_setting(path: Path, key: str) -> Any:
    """One top-level value of an environment file, None where it stands in none. The rest may be incomplete.

    Raises ConfigurationError when the file is no YAML or the value takes a variable that is not set.
    """
    raw = read_yaml(path)
    filled = _fill({key: raw.get(key)} if isinstance(raw, dict) else {}, os.environ)
    if filled.mistakes:
        raise ConfigurationError([f"{path}: {text}" for text in filled.mistakes])
    return (filled.tree or {}).get(key)


def _fill(tree: Any, values: Mapping[str, str]) -> _Filled:
    filled = _Filled()

    def one(match: re.Match[str], path: Path_) -> str:
        if match.group() == "$$":
            return "$"
        body = match["body"]
        if body.startswith("file:"):
            source = Path(body[5:]).expanduser()
            try:
                value = source.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or "not UTF-8"
                filled.mistakes.append(f"{'.'.join(path)}: found ${{{body}}} ({why}), allowed a readable file")
                return ""
            filled.secrets.add(value)
            filled.outside.add(path)
            return value
        name, has_default, default = body.partition(":-")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            filled.mistakes.append(
                f"{'.'.join(path)}: found ${{{body}}}, "
                "allowed ${VAR}, ${VAR:-default}, ${file:/path}, $$ for a dollar"
            )
            return ""
        value = values.get(name, "")
        if not value and has_default:
            return default
        filled.outside.add(path)
        if not value:
            filled.mistakes.append(
                f"{'.'.join(path)}: found ${{{name}}} but {name} is not set, allowed a value or ${{{name}:-default}}"
            )
        elif _SECRET_NAME.search(name):
            filled.secrets.add(value)
        return value

    def walk(node: Any, path: Path_) -> Any:
        if isinstance(node, dict):
            return {str(key): walk(value, (*path, str(key))) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value, (*path, str(index))) for index, value in enumerate(node)]
        if isinstance(node, str) and "$" in node:
            return _REFERENCE.sub(lambda match: one(match, path), node)
        return node

    try:
        filled.tree = walk(tree, ())
    except RecursionError:
        filled.mistakes.append(
            "(file): found an alias that holds itself, or no end of nesting, allowed a plain mapping"
        )
    return filled


def _named(tree: dict[str, Any], stem: str) -> dict[str, Any]:
    """Give the environment and each target its name, the one place where names come from."""
    named: dict[str, Any] = {**tree, "name": stem}
    for kind in KINDS:
        targets = tree.get(kind)
        if isinstance(targets, dict):
            named[kind] = {
                name: {**(body or {}), "name": name, "environment": stem} if isinstance(body or {}, dict) else body
                for name, body in targets.items()
            }
    return named


def _cross_checks(tree: dict[str, Any], items: Mapping[str, Item]) -> Iterator[str]:
    """What only the whole file can tell. Works on the raw tree, so that it is told even beside other mistakes."""

    def section(name: str) -> dict[str, Any]:
        value = tree.get(name)
        return value if isinstance(value, dict) else {}

    for kind, model in KINDS.items():
        for name, body in section(kind).items():
            if not isinstance(body, dict):
                continue
            for key, other in (("host", "hosts"), ("database", "databases")):
                if key in model.model_fields and isinstance(body.get(key), str) and body[key] not in section(other):
                    allowed = ", ".join(section(other)) or f"an entry under {other}"
                    yield f"{kind}.{name}.{key}: found {_shown(body[key])}, allowed {allowed}"
    slots = {str(b["slot"]) for k in KINDS for b in section(k).values() if isinstance(b, dict) and b.get("slot")}
    active = tree.get("active_slot")
    if active is not None and str(active) not in slots:
        allowed = ", ".join(sorted(slots)) or "no key: no target has a slot"
        yield f"active_slot: found {_shown(active)}, allowed {allowed}"
    retired = tree.get("retired_slots")
    for index, slot in enumerate(retired if isinstance(retired, list) else []):
        if str(slot) == str(active) or str(slot) not in slots:
            allowed = ", ".join(sorted(slots - {str(active)})) or "no entry: there is no other slot"
            yield f"retired_slots.{index}: found {_shown(slot)}, allowed {allowed}"
    excused = section("not_applicable")
    for kind in KINDS:
        if not section(kind) and kind not in excused:
            yield f"{kind}: found none, allowed at least one, or a reason under not_applicable.{kind}"
        if section(kind) and kind in excused:
            yield f"not_applicable.{kind}: found a reason, but {kind} are listed; allowed one of the two"
    for key in excused:
        check, colon, kind = str(key).partition(":")
        if colon and check in items and kind not in KINDS:
            yield f"not_applicable.{key}: found an unknown kind of target, allowed {_near(kind, KINDS)} after the colon"
        elif key not in KINDS and check not in items:
            yield f"not_applicable.{key}: found an unknown name, allowed {_near(check, [*KINDS, *items])}"
    for key in section("checks"):
        if key not in items:
            yield f"checks.{key}: found an unknown check, allowed {_near(str(key), items)}"
    waivers = tree.get("waivers")
    names = {str(name) for kind in KINDS for name in section(kind)}
    for index, waiver in enumerate(waivers if isinstance(waivers, list) else []):
        if not isinstance(waiver, dict):
            continue
        if isinstance(waiver.get("check"), str) and waiver["check"] not in items:
            yield f"waivers.{index}.check: found {_shown(waiver['check'])}, allowed {_near(waiver['check'], items)}"
        if isinstance(waiver.get("target"), str) and waiver["target"] not in names:
            yield f"waivers.{index}.target: found {_shown(waiver['target'])}, allowed {_near(waiver['target'], names)}"


def _literal_secrets(tree: dict[str, Any], outside: set[Path_]) -> Iterator[str]:
    """Secrets that stand in the file itself. Works on the raw tree, as `_cross_checks` does."""
    for kind, model in KINDS.items():
        targets = tree.get(kind)
        for name, body in targets.items() if isinstance(targets, dict) else ():
            for path, text in _raw_secrets(model, body, (kind, str(name))):
                harmless = path[-1] == "dsn" and not _dsn_password(text)
                if path not in outside and not harmless:
                    yield f"{'.'.join(path)}: found a literal secret, allowed ${{VAR}} or ${{file:/path}}"
    history = tree.get("history")
    if isinstance(history, str) and ("history",) not in outside and _dsn_password(history):
        yield "history: found a literal secret, allowed ${VAR} or ${file:/path}"


def _raw_secrets(model: type[BaseModel], body: Any, path: Path_) -> Iterator[tuple[Path_, str]]:
    for key, value in body.items() if isinstance(body, dict) else ():
        field_info = model.model_fields.get(str(key))
        if field_info is None or "SecretStr" not in str(field_info.annotation):
            continue
        if isinstance(value, str):
            yield (*path, str(key)), value
        elif isinstance(value, dict):
            yield from (((*path, str(key), str(k)), v) for k, v in value.items() if isinstance(v, str))


def _secret_fields(model: BaseModel, path: Path_) -> Iterator[tuple[Path_, SecretStr]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            yield (*path, name), value
        elif isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(inner, SecretStr):
                    yield (*path, name, key), inner


def _secrets(environment: Environment) -> Iterator[str]:
    for kind in KINDS:
        for target in getattr(environment, kind).values():
            for path, secret in _secret_fields(target, (kind, target.name)):
                text = secret.get_secret_value()
                yield _dsn_password(text) if path[-1] == "dsn" else text
    if environment.history is not None:
        yield _dsn_password(environment.history.get_secret_value())


def _dsn_password(dsn: str) -> str:
    """The password inside a connection string, or ""."""
    if "://" in dsn:
        query = re.search(r"[?&]password=([^&]*)", dsn)
        try:
            return urlsplit(dsn).password or (query[1] if query else "")
        except ValueError:  # no URL: told as such elsewhere
            return ""
    match = re.search(r"password\s*=\s*('(?:[^'\\]|\\.)*'|\S+)", dsn)
    return match[1].strip("'") if match else ""


def _line(path: Path, where: Path_, error: Mapping[str, Any]) -> str:
    """One pydantic error in our words: `file: key.path: found …, allowed …`."""
    loc = [part for part in where if not part.endswith(("]", ")")) and part not in ("AtMost", "AtLeast")]
    key = ".".join(loc)
    kind = error["type"]
    if kind == "extra_forbidden":
        return f"{path}: {key}: found an unknown key, allowed {_near(loc[-1], _fields_at(loc[:-1]))}"
    if kind == "missing":
        return f"{path}: {key}: found nothing, allowed a value: it is required"
    allowed = re.sub(r"^(Value error, |Input should be (a valid )?|String should (be )?)", "", error["msg"])
    allowed = allowed.replace("have at least", "at least").replace("match pattern", "text that matches")
    secret = {"dsn", "token", "headers", "history"} & set(loc)
    found = "a value that does not fit" if secret else _shown(error.get("input"))
    return f"{path}: {key}: found {found}, allowed {allowed}"


def _fields_at(loc: list[str]) -> list[str]:
    """The keys that an environment file may have at this place."""
    model: type[BaseModel] | None = Environment
    for part in loc:
        annotation = model.model_fields[part].annotation if model and part in model.model_fields else None
        if annotation is not None:
            model = next(_models_in(annotation), None)
        # else: the name of a target, or an index: its description is of the model just found
    return [name for name in model.model_fields if name not in ("name", "environment")] if model else []


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _near(word: str, known: Iterable[str]) -> str:
    names = list(dict.fromkeys(known))
    listed = ", ".join(names) if len(names) <= 30 else f"one of {len(names)} names, see the README's table"
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"{listed or 'none'} (did you mean {close[0]}?)" if close else listed or "none"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "…"
