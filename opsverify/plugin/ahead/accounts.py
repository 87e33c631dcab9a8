"""Who asks a target, and where: told from the environment file alone, without its secrets."""

from __future__ import annotations

import getpass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from opsverify.config.addresses import without_login
from opsverify.config.environment import Host

NOBODY = "none"


def address_of(target: Any) -> str:
    """Where a target is reached: a connection, an address, a host's name."""
    if isinstance(target, Host):
        return target.connection
    if target.kind == "databases":
        host, port, name = target.location
        return f"{host or 'local socket'}:{port}/{name}"
    if target.kind == "certificates":
        return f"{target.address}:{target.port}"
    for name in ("url", "domain", "location", "host"):
        if value := getattr(target, name, None):
            return without_login(str(value))
    return ""


def account_of(target: Any) -> str:
    """The account that asks; `none` where nobody logs in."""
    if isinstance(target, Host):
        return _on_host(target)
    if target.kind == "databases":
        return _role(target)
    if login := getattr(target, "login", None):
        return str(login.username)
    if getattr(target, "token", None):
        return "the owner of its token"
    if getattr(target, "headers", None):
        return f"whoever its headers name ({', '.join(target.headers)})"
    return NOBODY


def user_of(host: Host) -> str:
    """The account that a connection logs in with, before any sudo; "" where ssh_config or the container says."""
    parts = urlsplit(host.connection)
    if parts.scheme == "local":
        return getpass.getuser()
    return parts.username or ""


def sudo_of(host: Host) -> str:
    """The account that a connection becomes by sudo; "" where it becomes none."""
    asked = parse_qs(urlsplit(host.connection).query)
    if asked.get("sudo", ["false"])[0].lower() != "true":  # as testinfra reads it
        return ""
    return asked.get("sudo_user", ["root"])[0]


def _on_host(host: Host) -> str:
    otherwise = "the container's own user" if host.is_container else "the user that ssh_config names, or yours"
    user, becomes = user_of(host) or otherwise, sudo_of(host)
    return f"{user}, by sudo {becomes}" if becomes else user


def _role(database: Any) -> str:
    from psycopg.conninfo import conninfo_to_dict

    return str(conninfo_to_dict(database.dsn.get_secret_value()).get("user") or getpass.getuser())
