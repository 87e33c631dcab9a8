"""Checkouts and packages: what My Cats is deployed from, and what lies beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from opsverify.probes.host.question import MIB, Answer, Block, Question
from opsverify.probes.host.shell import MAIN_PIDS
from opsverify.probes.host.shell_file import ShellFile
from opsverify.probes.host.surroundings.hidden import ended, hidden

NAMES_AWK = ShellFile(__package__, "names.awk")
COMPOSE_AWK = ShellFile(__package__, "compose.awk")


@dataclass(frozen=True)
class Composed:
    """A service of a compose file."""

    file: str
    name: str
    image: str = ""
    container: str = ""
    builds: str = ""
    ports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checkout:
    """A folder with a repository or a package. Paths are whole."""

    path: str
    git: bool
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    uses: tuple[tuple[str, str], ...] = ()
    """(package, the package.json that names it): "@nestjs/core", "next", "prisma" …"""
    variables: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Of each file for dotenv, the names in it."""
    pids: tuple[tuple[int, str], ...] = ()
    """What stands in *.pid files."""
    composed: tuple[Composed, ...] = ()
    unread: tuple[str, ...] = ()
    real: str = ""
    """Where its path leads, where that is a link."""

    def named(self, *names: str) -> list[str]:
        """Its files of these names, the shortest path first."""
        return sorted((one for one in self.files if one.rpartition("/")[2] in names), key=lambda one: (len(one), one))


@dataclass(frozen=True)
class CheckoutsSeen:
    """`npm_caches`: folders named .npm. `hidden`: what could not be read."""

    checkouts: tuple[Checkout, ...]
    npm_caches: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checkouts(Question):
    """Repositories and packages where programs run and where people put them, and the files of note in them.

    Of files for dotenv only names of variables are read, of compose files services, images and ports. Privileges: to
    list those folders, with the group of the checkout; what may not be read is listed. Source: git, npm, pnpm, Prisma
    and compose name their files so.
    """

    shell = ShellFile(__package__, "checkouts.sh")
    helpers = (MAIN_PIDS,)
    max_bytes: ClassVar[int] = 2 * MIB
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 15.0

    @property
    def arguments(self) -> tuple[str, ...]:
        return NAMES_AWK.text, COMPOSE_AWK.text

    def parse(self, answer: Answer) -> CheckoutsSeen:
        ended(answer, "the checkouts")
        blocks = answer.blocks()
        found = tuple(_checkout(block) for block in blocks if block.name == "checkout")
        caches = tuple(block.rest for block in blocks if block.name == "npmcache")
        return CheckoutsSeen(found, caches, hidden(answer))


def _checkout(block: Block) -> Checkout:
    files, folders, uses, unread = [], [], [], []
    pids: list[tuple[int, str]] = []
    variables: dict[str, list[str]] = {}
    composed: list[Composed] = []
    compose = real = ""
    for line in block.lines:
        key, _, rest = line.partition(" ")
        if key == "f":
            files.append(rest)
        elif key == "d":
            folders.append(rest)
        elif key == "uses":
            package, _, file = rest.partition(" ")
            uses.append((package, file))
        elif key == "names":
            file, _, name = rest.rpartition(" ")
            variables.setdefault(file, []).append(name)
        elif key == "pid":
            number, _, file = rest.partition(" ")
            if number.isascii() and number.isdigit() and len(number) < 11:
                pids.append((int(number), file))
        elif key == "denied":
            unread.append(rest)
        elif key == "real":
            real = rest
        elif key == "compose":
            compose = rest
        elif key == "compose:":
            _composed(composed, compose, rest)
    named = tuple((file, tuple(dict.fromkeys(names))) for file, names in variables.items())
    return Checkout(block.rest, "git" in block.lines, tuple(files), tuple(folders), tuple(uses), named, tuple(pids),
                    tuple(composed), tuple(unread), real)  # fmt: skip


def _composed(services: list[Composed], file: str, line: str) -> None:
    key, _, value = line.partition(" ")
    if key == "service":
        services.append(Composed(file, value))
    elif services:
        last = services[-1]
        images = {"image": (value, last.container, last.builds), "container_name": (last.image, value, last.builds),
                  "build": (last.image, last.container, value)}  # fmt: skip
        image, container, builds = images.get(key, (last.image, last.container, last.builds))
        ports = (*last.ports, value) if key in ("port", "published") else last.ports
        services[-1] = Composed(last.file, last.name, image, container, builds, ports)


__all__ = ["COMPOSE_AWK", "NAMES_AWK", "Checkout", "Checkouts", "CheckoutsSeen", "Composed"]
