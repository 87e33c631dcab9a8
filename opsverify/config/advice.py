"""What to do about a failure, with the target's own addresses, units and paths, so that commands can be pasted.

An action of the runbook is a template:

- `{restart backend}`, also start and stop: a clause, "run `ssh app1 systemctl restart mycats-api`", or in plain words
  where nothing says how ("restart the backend"). Roles are those of services; `it` is the target itself.
- `{status backend}`, `{journal backend}`: a command to read, or in plain words what to read.
- `@` before a command in backquotes: to be run on the target's host.
- `{url}`, `{smoke_url}`, `{path}` and the other names of `FIELDS`: of the target, or of what it belongs to.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from opsverify.config.environment import Environment, Host, InContainer, Service, Target

VERBS = {"restart": "再起動", "start": "起動", "stop": "停止"}
READ = {"status": ("state", "状態"), "journal": ("log", "ログ")}
ROLES = {
    "backend": ("the backend", "バックエンド"),
    "frontend": ("the front end", "フロントエンド"),
    "database": ("PostgreSQL", "PostgreSQL"),
    "proxy": ("nginx", "nginx"),
    "it": ("the service", "サービス"),
}

_PLACEHOLDER = re.compile(
    rf"\{{(?P<verb>{'|'.join((*VERBS, *READ))}) (?P<role>{'|'.join(ROLES)})\}}"
    r"|\{(?P<field>[a-z_]+)\}|@`(?P<here>[^`]+)`"
)


def advice(text: str, environment: Environment, target: Target | None, language: str) -> str:
    """`text`, an action in that language, filled in for a target; None: for none in particular."""

    def one(match: re.Match[str]) -> str:
        if match["field"]:
            return FIELDS[match["field"]](environment, target) if match["field"] in FIELDS else match[0]
        if match["here"]:
            return f"`{_on(_host(environment, target), _PLACEHOLDER.sub(one, match['here']))}`"
        return _about(environment, target, match["verb"], match["role"], language)

    return _PLACEHOLDER.sub(one, text)


def unknown_fields(text: str) -> list[str]:
    """Placeholders of an action that stand for nothing."""
    return [m["field"] for m in _PLACEHOLDER.finditer(text) if m["field"] and m["field"] not in FIELDS]


def _about(environment: Environment, target: Target | None, verb: str, role: str, language: str) -> str:
    japanese = language == "ja"
    service = _service(environment, target, role)
    command = _command(environment, service, verb) if service else ""
    name = ROLES[role][japanese]
    if verb in READ:
        words = f"{name}の{READ[verb][1]}" if japanese else f"{name}'s {READ[verb][0]}"
        return f"`{command}`" if command else words
    if japanese:
        return f"`{command}` を実行する" if command else f"{name}を{VERBS[verb]}する"
    return f"run `{command}`" if command else f"{verb} {name}"


def _service(environment: Environment, target: Target | None, role: str) -> Service | None:
    """The service that is meant: the nearest one of that role, by host and slot."""
    if role == "it":
        return target if isinstance(target, Service) else None
    by_place = environment.services_by_place
    slot = getattr(target, "slot", None)
    slot = slot if (role, slot, None) in by_place else None
    host = target.name if isinstance(target, Host) else getattr(target, "host", None)
    services = by_place.get((role, slot, host)) or by_place.get((role, slot, None), [])
    if getattr(target, "slot", None) is None and environment.active_slot is not None:
        services = [s for s in services if s.slot in (None, environment.active_slot)] or services
    return services[0] if services else None


def _command(environment: Environment, service: Service, verb: str) -> str:
    """What does that to a service; "" where its unit is not known: a pid file says who runs, and not how."""
    host = environment.hosts.get(service.host)
    if service.container is not None:
        if verb == "journal":
            return _on(host, f"{_logs_of(service)} --since 1h")
        what = f"ps --all --filter name={service.container}" if verb == "status" else f"{verb} {service.container}"
        return _on(host, f"{_engine(service)} {what}")
    if service.unit is None:
        log = next((log for log in environment.logs.values() if _holds_log_of(service, log)), None)
        return _on(host, f"tail -n 100 {shlex.quote(str(log.path))}") if verb == "journal" and log and log.path else ""
    unit = shlex.quote(service.unit)
    if verb == "journal":
        return _on(host, f"journalctl -u {unit} --since '1 hour ago'")
    return _on(host, f"systemctl {verb} {unit}")


def _engine(target: InContainer) -> str:
    return "podman" if target.engine == "podman" else "docker"


def _logs_of(target: InContainer) -> str:
    return f"{_engine(target)} logs {target.container}"


def _holds_log_of(service: Service, log: Any) -> bool:
    kinds = {"backend": "application", "proxy": "access", "database": "database"}
    return bool(log.host == service.host and log.holds == kinds.get(service.role))


def _host(environment: Environment, target: Target | None) -> Host | None:
    return target if isinstance(target, Host) else environment.hosts.get(getattr(target, "host", None) or "")


def _on(host: Host | None, command: str) -> str:
    """A command as it is typed here to be run there."""
    parts = urlsplit(host.connection) if host else None
    if host is None or parts is None or parts.scheme not in ("ssh", "docker", "podman"):
        return command
    if parts.scheme != "ssh":
        return f"{parts.scheme} exec {parts.netloc} sh -c {shlex.quote(command)}"
    words = ["ssh", *(["-F", str(host.ssh_config)] if host.ssh_config else [])]
    words += ["-p", str(parts.port)] if parts.port else []
    words.append(f"{parts.username}@{parts.hostname}" if parts.username else parts.hostname or "")
    return (
        " ".join(map(shlex.quote, words)) + " " + (shlex.quote(command) if set(command) & set("'\"|$*;>") else command)
    )


def _first(environment: Environment, kind: str, target: Target | None) -> Any:
    """The target, where it is of that kind, else the first of what the run looks at."""
    if target is not None and target.kind == kind:
        return target
    return next(iter(environment.targets(kind)), None)


def _api(path: str) -> Callable[[Environment, Target | None], str]:
    def address(environment: Environment, target: Target | None) -> str:
        api = _first(environment, "apis", target)
        return f"{api.url}{getattr(api, path)}" if api is not None else "<API>"

    return address


def _log(holds: str) -> Callable[[Environment, Target | None], str]:
    def path(environment: Environment, target: Target | None) -> str:
        logs = [log for log in environment.logs.values() if log.holds == holds]
        logs = [log for log in logs if log is target] or logs
        if not logs:
            return f"<{holds} log>"
        if logs[0].path:
            return shlex.quote(logs[0].path)
        # What prints it, in the place of a file: bash takes it.
        return f"<(journalctl -o cat -u {logs[0].unit})" if logs[0].unit else f"<({_logs_of(logs[0])} 2>&1)"

    return path


def _own(name: str, otherwise: str) -> Callable[[Environment, Target | None], str]:
    def value(environment: Environment, target: Target | None) -> str:
        given = getattr(target, name, None)
        return otherwise if given is None else str(given)

    return value


FIELDS: dict[str, Callable[[Environment, Target | None], str]] = {
    "health_url": _api("health_path"),
    "smoke_url": _api("smoke_path"),
    "cors_url": _api("cors_path"),
    "url": _own("url", "<address>"),
    "path": _own("path", "<path>"),
    "address": _own("address", "<host>"),
    "port": _own("port", "<port>"),
    "domain": _own("domain", "<name>"),
    "application_log": _log("application"),
    "access_log": _log("access"),
}
"""What a template may name, by the name that stands in its braces."""

__all__ = ["FIELDS", "advice", "unknown_fields"]
