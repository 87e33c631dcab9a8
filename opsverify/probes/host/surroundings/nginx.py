"""nginx's configuration: where requests come in, where they lead to, and where they are written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from posixpath import dirname, join
from typing import ClassVar

from opsverify.probes.host.question import MIB, Answer, Question
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.surroundings.hidden import ended, hidden

AWK = ShellFile(__package__, "nginx.awk")
_DEEPEST = 12
"""Files that include one another: more is a circle, which nginx refuses itself."""


@dataclass
class Directive:
    """One directive with its arguments, and what is in its block."""

    name: str
    arguments: tuple[str, ...]
    file: str
    block: list[Directive] = field(default_factory=list)

    def every(self, name: str) -> Iterator[Directive]:
        """The directives of this name below it, at any depth."""
        for one in self.block:
            if one.name == name:
                yield one
            yield from one.every(name)

    def here(self, name: str) -> list[Directive]:
        """The directives of this name right in its block."""
        return [one for one in self.block if one.name == name]


@dataclass(frozen=True)
class Site:
    """A `server` of nginx over HTTP."""

    file: str
    names: tuple[str, ...]
    ports: tuple[int, ...]
    tls_ports: tuple[int, ...]
    certificate: str = ""
    routes: tuple[tuple[str, str], ...] = ()
    """(location, address that it is passed on to) as written, upstreams by the addresses of their servers."""
    redirects: bool = False
    """Whether all of it leads to https."""
    logs: tuple[str, ...] = ()


@dataclass(frozen=True)
class NginxSeen:
    """`installed`: there is a program or a configuration. `upstreams`: (name, addresses)."""

    installed: bool
    sites: tuple[Site, ...] = ()
    upstreams: tuple[tuple[str, tuple[str, ...]], ...] = ()
    logs: tuple[str, ...] = ()
    """Every access log that is written."""
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nginx(Question):
    """The configuration files of nginx, as far as they say where requests come in, lead to and are written down.

    Privileges: none where its files are readable by everyone, as packages leave them; what is not is listed. Source:
    nginx's documentation of its core, http, proxy and upstream modules.
    """

    shell = ShellFile(__package__, "nginx.sh")
    max_bytes: ClassVar[int] = 2 * MIB

    @property
    def arguments(self) -> tuple[str, ...]:
        return (AWK.text,)

    def parse(self, answer: Answer) -> NginxSeen:
        ended(answer, "nginx's configuration")
        files = {block.rest: block.lines for block in answer.blocks() if block.name == "file"}
        roots = [block.rest for block in answer.blocks() if block.name == "root"]
        mains = [f"{root}/nginx.conf" for root in roots if f"{root}/nginx.conf" in files]
        whole = Directive("", (), "")
        for main in mains:
            whole.block += directives(main, files)
        installed = bool(answer.block("installed") or mains)
        return understood(whole, installed, hidden(answer))


def directives(main: str, files: dict[str, list[str]], depth: int = 0) -> list[Directive]:
    """The tree of a file's directives, what it includes in its place. `files`: what nginx.awk printed of each."""
    top: list[Directive] = []
    levels = [top]
    for line in files.get(main, []):
        number, *words = line.split("\t")
        if not words or not number.isascii() or not number.isdigit():
            continue
        opens = words[-1] == "{"
        name, *arguments = words[:-1] if opens else words
        level = min(int(number) if len(number) < 4 else 0, len(levels) - 1)
        del levels[level + 1 :]
        if name == "include" and arguments and depth < _DEEPEST:
            pattern = join(dirname(_root_of(main, files)), arguments[0])
            for file in sorted(one for one in files if one == pattern or _matches(one, pattern)):
                levels[level] += directives(file, files, depth + 1)
            continue
        one = Directive(name, tuple(arguments), main)
        levels[level].append(one)
        if opens:
            levels.append(one.block)
    return top


def _root_of(file: str, files: dict[str, list[str]]) -> str:
    """The nginx.conf beside or above a file: what is included is looked for from its folder."""
    folder = dirname(file)
    while folder not in ("", "/") and f"{folder}/nginx.conf" not in files:
        folder = dirname(folder)
    return f"{folder}/nginx.conf"


def _matches(path: str, pattern: str) -> bool:
    """As glob(3): a `*` stays within its folder, and finds no hidden file."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatchcase(part, want) and (not part.startswith(".") or want.startswith("."))
        for part, want in zip(parts, wanted, strict=True)
    )


def understood(whole: Directive, installed: bool, unread: tuple[str, ...]) -> NginxSeen:
    """What a whole configuration says. Pure."""
    web = Directive("", (), "", [one for http in whole.every("http") for one in http.block])
    upstreams = {
        one.arguments[0]: tuple(server.arguments[0] for server in one.here("server") if server.arguments)
        for one in web.here("upstream")
        if one.arguments
    }
    inherited = _logs(web)
    sites = tuple(_site(server, upstreams, inherited) for server in web.here("server"))
    logs = dict.fromkeys([*(log for site in sites for log in site.logs), *(inherited if not sites else ())])
    return NginxSeen(installed, sites, tuple(upstreams.items()), tuple(logs), unread)


def _logs(of: Directive) -> tuple[str, ...]:
    written = (one.arguments[0] for one in of.here("access_log") if one.arguments)
    return tuple(dict.fromkeys(path for path in written if path.startswith("/") and "$" not in path))


def _site(server: Directive, upstreams: dict[str, tuple[str, ...]], inherited: tuple[str, ...]) -> Site:
    ports: list[int] = []
    tls_ports: list[int] = []
    for listen in server.here("listen"):
        port = _port(listen.arguments[0] if listen.arguments else "")
        if port:
            (tls_ports if {"ssl", "quic"} & set(listen.arguments) else ports).append(port)
    names = tuple(name for one in server.here("server_name") for name in one.arguments if name not in ("_", ""))
    certificate = next((one.arguments[0] for one in server.here("ssl_certificate") if one.arguments), "")
    if certificate and not tls_ports and 443 in ports:  # `ssl on`, or old habits
        ports, tls_ports = [port for port in ports if port != 443], [443]
    variables = {one.arguments[0]: one.arguments[1] for one in server.every("set") if len(one.arguments) > 1}
    routes: list[tuple[str, str]] = []
    for location in server.every("location"):
        for passed in location.here("proxy_pass"):
            if passed.arguments and location.arguments:
                target = variables.get(passed.arguments[0], passed.arguments[0])
                routes += [(location.arguments[-1], place) for place in _places(target, upstreams, variables)]
    blocks = (server, *server.here("if"), *server.here("location"))
    answers = [one.arguments for block in blocks for one in block.here("return")]
    redirects = not routes and any(len(to) > 1 and to[1].startswith(("https://", "$scheme://")) for to in answers)
    written = dict.fromkeys([path for one in (server, *server.every("location")) for path in _logs(one)])
    off = any(one.arguments[:1] == ("off",) for one in server.here("access_log"))
    logs = tuple(written) or (() if off else inherited)
    return Site(
        file=server.file,
        names=names,
        ports=tuple(dict.fromkeys(ports)) or (() if tls_ports else (80,)),
        tls_ports=tuple(dict.fromkeys(tls_ports)),
        certificate=certificate,
        routes=tuple(dict.fromkeys(routes)),
        redirects=redirects,
        logs=logs,
    )


def _port(listen: str) -> int | None:
    """The TCP port of a `listen`; None for a socket of a file."""
    if listen.startswith("unix:"):
        return None
    _, colon, last = listen.rpartition(":")
    text = last if colon and not listen.endswith("]") else listen
    if text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536:
        return int(text)
    return 80 if text else None


def _places(target: str, upstreams: dict[str, tuple[str, ...]], variables: dict[str, str]) -> Iterator[str]:
    scheme, separator, rest = target.partition("://")
    if not separator:
        rest = scheme
    authority = rest.partition("/")[0]
    authority = variables.get(authority, authority).rpartition("://")[2].rstrip("/")
    yield from upstreams.get(authority, (authority,))


__all__ = ["AWK", "Directive", "Nginx", "NginxSeen", "Site", "directives", "understood"]
