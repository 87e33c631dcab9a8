"""Secrets of an environment: found where they stand literally, and listed to be kept out of everything shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from opsverify.config.environment import KINDS, Environment
from opsverify.config.mistakes import models_in
from opsverify.config.notification import Channel
from opsverify.config.substitution import KeyPath


def literal_secrets(tree: dict[str, Any], outside: set[KeyPath]) -> Iterator[str]:
    """Secrets that stand in the file itself. Works on the raw tree, as `cross_checks` does."""
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
    for path, text in _of_notify(tree.get("notify")):
        if path not in outside and _may_be_secret(path, text):
            yield f"{'.'.join(path)}: found a literal secret, allowed ${{VAR}} or ${{file:/path}}"


def _of_notify(notify: Any) -> Iterator[tuple[KeyPath, str]]:
    section = notify if isinstance(notify, dict) else {}
    channels = section.get("channels")
    for name, body in channels.items() if isinstance(channels, dict) else ():
        yield from _raw_secrets(Channel, body, ("notify", "channels", str(name)))
    if isinstance(section.get("heartbeat"), str):
        yield ("notify", "heartbeat"), section["heartbeat"]


def _may_be_secret(path: KeyPath, text: str) -> bool:
    """Whether what stands in the file lets others send, or ping: most services take who knows the address."""
    if path[-1] == "apprise":
        return not text.startswith(("mailto://", "mailtos://")) or bool(_dsn_password(text) or "pass=" in text)
    if path[-1] == "webhook":
        words = re.split(r"[/.]", text)
        return "?" in text or any(len(word) > 15 and re.search(r"\d", word) for word in words)
    return bool(text)


def _raw_secrets(model: type[BaseModel], body: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for key, value in body.items() if isinstance(body, dict) else ():
        field_info = model.model_fields.get(str(key))
        if field_info is None:
            continue
        for inner in models_in(field_info.annotation):
            yield from _raw_secrets(inner, value, (*path, str(key)))
        if "SecretStr" not in str(field_info.annotation):
            continue
        if isinstance(value, str):
            yield (*path, str(key)), value
        elif isinstance(value, dict):
            yield from (((*path, str(key), str(k)), v) for k, v in value.items() if isinstance(v, str))


def _secret_fields(model: BaseModel, path: KeyPath) -> Iterator[tuple[KeyPath, SecretStr]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            yield (*path, name), value
        elif isinstance(value, BaseModel):
            yield from _secret_fields(value, (*path, name))
        elif isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(inner, SecretStr):
                    yield (*path, name, key), inner


def secrets_of(environment: Environment) -> Iterator[str]:
    """Every secret value that an environment holds."""
    for kind in KINDS:
        for target in getattr(environment, kind).values():
            for path, secret in _secret_fields(target, (kind, target.name)):
                text = secret.get_secret_value()
                yield _dsn_password(text) if path[-1] == "dsn" else text
    if environment.history is not None:
        yield _dsn_password(environment.history.get_secret_value())
    if environment.notify is not None:
        for name, channel in environment.notify.channels.items():
            for path, secret in _secret_fields(channel, ("notify", "channels", name)):
                text = secret.get_secret_value()
                yield from (text, _dsn_password(text)) if path[-1] == "apprise" else (text,)
        if environment.notify.heartbeat is not None:
            yield environment.notify.heartbeat.get_secret_value()


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


__all__ = ["literal_secrets", "secrets_of"]
