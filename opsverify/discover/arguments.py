"""The command line of `python -m opsverify.discover`, with all its mistakes at once."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote

from opsverify.config import addresses
from opsverify.config.environment import Database, Host
from opsverify.config.model import web_address
from opsverify.config.ranges import expand
from opsverify.errors import ConfigurationError

PASSWORD = "MYCATS_MONITOR_PASSWORD"  # noqa: S105 - a variable's name
_USAGE = "ssh://user@host, local://, docker://name, https://mycats.example.com, postgresql://role@host:5432/mycats"


@dataclass(frozen=True)
class DatabaseSource:
    """A database: its dsn as it is used, and as it is written, with a variable in the place of its password."""

    dsn: str = field(repr=False)
    written: str
    variable: str
    given: bool
    """Whether the password stood on the command line, where others see it."""


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for. `nobody_logs_in`: there are no hosts, by the operator's word."""

    hosts: tuple[Host, ...]
    urls: tuple[str, ...]
    databases: tuple[DatabaseSource, ...]
    out: Path
    write: bool
    ca_file: Path | None
    ssh_config: Path | None
    nobody_logs_in: bool
    sources: tuple[str, ...]
    """As they may be shown."""
    secrets: frozenset[str] = field(repr=False)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse repeats what it was given, which may be an address with a password in it.
        raise ConfigurationError([addresses.without_login(message)])


def wanted(arguments: Sequence[str], variables: Mapping[str, str] = os.environ) -> Wanted:
    """Read the command line; raises ConfigurationError with every mistake. No message repeats a password."""
    mistakes: list[str] = []
    given, unknown = parser().parse_known_args(arguments)
    mistakes += [
        f"found {re.split('[=?#]', addresses.without_login(word))[0]!r}, allowed the options of --help"
        for word in unknown
    ]
    hosts: list[Host] = []
    urls: list[str] = []
    databases: list[DatabaseSource] = []
    shown: list[str] = []
    for source in dict.fromkeys(given.source):
        try:
            scheme = source.partition("://")[0]
            if scheme in ("http", "https"):
                if "?" in source or "#" in source:
                    raise ValueError("an address without a query: https://mycats.example.com")
                urls.append(web_address(source))
                shown.append(urls[-1])
            elif scheme in ("postgresql", "postgres"):
                databases.append(_database(source, len(databases), variables))
                shown.append(databases[-1].written)
            else:
                hosts.append(_host(source, hosts, given.ssh_config))
                shown.append(source)
        except ValueError as problem:
            place = re.split("[?#]", addresses.without_login(source))[0]
            if "://" not in source:  # who knows what it is
                place = source.partition(":")[0].partition("=")[0]
            mistakes.append(f"{place}: found a source that does not fit, allowed {problem}")
    if not given.source:
        mistakes.append(f"found no source, allowed one or more of {_USAGE}")
    elif not hosts and not given.no_hosts and not mistakes:
        mistakes.append(
            "found no host to log in to, allowed ssh://user@host, local:// …, or --no-hosts where nobody can"
        )
    if hosts and given.no_hosts:
        mistakes.append("--no-hosts: found beside a host, allowed one of the two")
    for option, path in (("--ca-file", given.ca_file), ("--ssh-config", given.ssh_config)):
        if path is not None and not Path(path).expanduser().is_file():
            mistakes.append(f"{option}: found {path!r}, allowed a file that is there")
    out = Path(given.out)
    if not given.out:
        mistakes.append("-o: found nothing, allowed the file to write or to compare, environments/live.yaml")
    elif out.suffix not in (".yaml", ".yml") or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", out.stem):
        mistakes.append(f"-o: found {given.out!r}, allowed a path such as environments/production.yaml")
    elif out.is_dir() or not out.parent.is_dir():
        mistakes.append(f"-o: found {given.out!r}, allowed a file in a folder that is there")
    elif not os.access(out.parent, os.W_OK) and (given.write or not out.exists()):
        mistakes.append(f"-o: found {given.out!r}, allowed a file in a folder that this account may write to")
    if mistakes:
        raise ConfigurationError(mistakes)
    secrets = {_password(one.dsn) for one in databases}
    return Wanted(
        tuple(hosts), tuple(urls), tuple(databases), out, given.write, _path(given.ca_file), _path(given.ssh_config),
        given.no_hosts, tuple(shown), frozenset(secrets - {""}),
    )  # fmt: skip


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _host(source: str, others: Sequence[Host], ssh_config: str | None) -> Host:
    if "://" not in source:
        raise ValueError(f"one of {_USAGE}")
    if "[" in source and len(expand(source)) > 1:  # an address of IPv6 is one
        raise ValueError("each host by itself; a group is for the file, docs/fleets.md")
    parts = addresses.split(source)
    name = parts.hostname or "here"
    short = name if re.fullmatch(r"[0-9.]+|.*:.*", name) else name.partition(".")[0]
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", short).strip("-.") or "host"
    taken = {host.name for host in others}
    unique = next(n for n in (name, *(f"{name}-{i}" for i in range(2, 1000))) if n not in taken)
    config = Path(ssh_config).expanduser().resolve() if ssh_config and parts.scheme in ("ssh", "ansible") else None
    try:
        return Host.model_validate(
            {"name": unique, "environment": "discover", "connection": source, "ssh_config": config}
        )
    except ValueError as error:
        raise ValueError(_allowed(error)) from None


def _database(source: str, number: int, variables: Mapping[str, str]) -> DatabaseSource:
    variable = PASSWORD if number == 0 else f"{PASSWORD}_{number + 1}"
    reference = re.search(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", source)
    filled, written, given = source, source, False
    if reference:
        variable = reference[1]
        if not variables.get(variable):
            raise ValueError(f"a value for the variable {variable}, which is not set")
        filled = source.replace(reference[0], variables[variable])
    parts = addresses.split(filled)
    written_password = source.partition("://")[2].rpartition("@")[0].partition(":")[2]
    if written_password and reference and written_password != reference[0]:
        raise ValueError("a variable for the whole password only: postgresql://role:${NAME}@host/name")
    if "password=" in unquote(parts.query).lower():
        raise ValueError("a password in its usual place only, postgresql://role:password@host/name, or in a variable")
    if not reference:
        if parts.password:
            given = True
            written = source.replace(f":{parts.password}@", f":${{{variable}}}@", 1)
        elif variables.get(variable):  # without one on the command line, where all of a machine's accounts may read it
            user, at, rest = source.partition("://")[2].partition("@")
            if at:
                secret = variables[variable]
                filled = f"{parts.scheme}://{user}:{secret}@{rest}"
                written = f"{parts.scheme}://{user}:${{{variable}}}@{rest}"
    try:
        Database.model_validate({"name": "database", "environment": "discover", "dsn": filled})
    except ValueError as error:
        raise ValueError(_allowed(error)) from None
    return DatabaseSource(filled, written, variable if "${" in written else "", given)


def _allowed(error: ValueError) -> str:
    """What a model's own words say is allowed, without what was found."""
    errors = getattr(error, "errors", None)
    texts = [str(one["msg"]).removeprefix("Value error, ") for one in errors()] if errors else [str(error)]
    return "; ".join(texts)


def _password(dsn: str) -> str:
    return unquote(addresses.split(dsn).password or "")


def parser() -> argparse.ArgumentParser:
    """The options of `python -m opsverify.discover`."""
    reader = _Parser(
        prog="python -m opsverify.discover",
        description="Look, reading only, at hosts, addresses and databases, and write the environment file that "
        "verifies them; where the file is there, tell how it differs. Exit code 0: written, or nothing differs; "
        "1: it differs; 2: mistakes of arguments; 3: something could not be looked at, or the file not be written.",
        allow_abbrev=False,
    )
    reader.add_argument("source", nargs="*", metavar="SOURCE", help=_USAGE)
    out = "the environment file, environments/live.yaml: written where there is none, else compared"
    reader.add_argument("-o", dest="out", metavar="FILE", default="", help=out)
    reader.add_argument("--write", action="store_true", help="change the file where it differs from what there is")
    reader.add_argument(
        "--ssh-config", metavar="FILE", help="an ssh_config for all ssh:// hosts; the file names it, too"
    )
    reader.add_argument(
        "--ca-file", metavar="FILE", help="a CA to trust instead of the system's; the file names it, too"
    )
    reader.add_argument("--no-hosts", action="store_true", help="nobody can log in to the machines: a managed platform")
    return reader


__all__ = ["PASSWORD", "DatabaseSource", "Wanted", "wanted"]
