"""The packages that pnpm installed, held against the lock file."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.files.listing import missing
from opsverify.probes.host.question import MIB, Answer, Block, Question
from opsverify.probes.host.shell import FOLDER
from opsverify.probes.host.shell_file import ShellFile

_LONGEST = 80
"""pnpm cuts longer folder names off and appends a hash."""


@dataclass(frozen=True)
class Installation:
    """What is installed in a checkout. Packages are named as the lock file does: "ms@2.1.3"."""

    checkout: str
    locked: bool
    """Whether there is a pnpm-lock.yaml."""
    installed: bool = False
    """Whether pnpm installed anything."""
    same: bool = False
    """Whether the lock file that was installed from is this one, to the byte."""
    packages: int = 0
    """How many the lock file names, those for other platforms included."""
    production_only: bool = False
    """Whether it was installed without development dependencies."""
    stale: tuple[str, ...] = ()
    """Installed from the older lock file and not in this one."""
    lacking: tuple[str, ...] = ()
    """In this lock file and not installed from the older one; not told for `production_only`."""
    different: tuple[str, ...] = ()
    """Direct dependencies that this lock file has in another version: "backend: ms 2.1.3"."""
    absent: tuple[str, ...] = ()
    """Installed, by pnpm's own word, and yet not on the disk."""


@dataclass(frozen=True)
class InstalledPackages(Question):
    """Whether what pnpm installed is what pnpm-lock.yaml says, and still there.

    pnpm keeps a copy of the lock file that it installed from, without what it left out (a production install: the
    development dependencies), so that the copies differ where all is well. Lock files of pnpm 8 and newer, also those
    that begin with a document of pnpm's own dependencies (pnpm.io/lockfile). The packages may lie elsewhere
    (virtualStoreDir), or in a store that all checkouts share (enableGlobalVirtualStore).
    Privileges: to read the checkout, and that store. Source: node_modules/.pnpm/lock.yaml and
    node_modules/.modules.yaml; pnpm.io/settings.
    """

    checkout_path: str

    shell = ShellFile(__package__, "installed_packages.sh")
    helpers = (FOLDER,)
    slow: ClassVar[bool] = True
    max_bytes: ClassVar[int] = 16 * MIB

    @property
    def title(self) -> str:
        return f"the installed packages in {self.checkout_path}"

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.checkout_path,)

    def parse(self, answer: Answer) -> Installation:
        if missing(self.title, self.checkout_path, answer) or answer.block("nolock"):
            return Installation(self.checkout_path, locked=False)
        blocks = {block.name: block for block in answer.blocks()}
        if "lock" in blocks and "noinstall" in blocks and not answer.denied:
            return Installation(self.checkout_path, locked=True)
        places = blocks.keys() & {"folders", "links"}
        if not ({"lock", "installed", "linked", "end"} <= blocks.keys() and places):
            raise answer.failure(self.title, "there are too many of them" if answer.truncated else "it ended early")
        lock, copy = _lock(self.title, blocks["lock"]), _lock(self.title, blocks["installed"])
        modules = "\n".join(blocks["modules"].lines) if "modules" in blocks else ""
        production_only = bool(re.search(r"devDependencies\W+false", modules))
        skipped = modules[modules.find("skipped") :] if "skipped" in modules else ""
        expected = {package for package in lock.packages & copy.packages if not _mentions(skipped, package)}
        isolated = not re.search(r"nodeLinker\W+(?!isolated)\w", modules)
        absent = []
        if "links" in blocks:
            absent = _without_link(expected, blocks["links"].lines)
        elif isolated:
            absent = _without_folder(expected, blocks["folders"].lines)
        linked = set(blocks["linked"].lines)
        absent += [
            f"{importer}: {name}"
            for importer, section, name, version in lock.direct
            if not (production_only and section == "devDependencies")
            and section != "optionalDependencies"
            and not version.startswith("link:")
            and f"{importer}/node_modules/{name}/package.json" not in linked
            and (isolated or f"./node_modules/{name}/package.json" not in linked)  # hoisted: all at the top
        ]
        return Installation(
            checkout=self.checkout_path,
            locked=True,
            installed=True,
            same="same" in blocks,
            packages=len(lock.packages),
            production_only=production_only,
            stale=tuple(sorted(copy.packages - lock.packages)),
            lacking=() if production_only else tuple(sorted(lock.packages - copy.packages)),
            different=tuple(
                f"{importer}: {name} {version}"
                for importer, section, name, version in sorted(lock.direct - copy.direct)
                if not (production_only and section == "devDependencies")
            ),
            absent=tuple(sorted(absent)),
        )


@dataclass(frozen=True)
class _Lock:
    packages: frozenset[str]
    direct: frozenset[tuple[str, str, str, str]]
    """(importer, section, name, version)."""


def _lock(title: str, block: Block) -> _Lock:
    """pnpm's lock file, versions 6 and 9: pnpm writes it in one fixed layout, so that lines say it all."""
    lines = [line[1:] for line in block.lines]
    version = next((line.partition(":")[2].strip(" '\"") for line in lines if line.startswith("lockfileVersion:")), "")
    if not re.match(r"[6-9]\.|1\d\.", version):
        raise ProbeError(f"{title} could not be determined: its lock file has version {version[:20] or 'unknown'}")
    packages: set[str] = set()
    direct: set[tuple[str, str, str, str]] = set()
    top = importer = section = name = ""
    for line in lines:
        if line and line[0] not in " #":
            top, importer, section = line.rstrip(":"), "" if line.startswith("importers") else ".", ""
            if top in _SECTIONS:  # version 6 without workspace: the sections stand at the top
                top, section = "flat", top
            continue
        depth = len(line) - len(line.lstrip(" "))
        key, _, rest = line.strip().partition(": ")
        key = key.rstrip(":").strip("'\"")
        if top == "packages" and depth == 2:
            packages.add(key.removeprefix("/").partition("(")[0])
        elif top == "importers" and depth == 2:
            importer, section = key.partition(":")[0], ""
        elif top == "importers" and depth == 4:
            section = key
        elif section in _SECTIONS and depth == (6 if top == "importers" else 2):
            name = key
        elif section in _SECTIONS and key == "version" and depth == (8 if top == "importers" else 4):
            direct.add((importer, section, name, rest.strip("'\"")))
    return _Lock(frozenset(packages), frozenset(direct))


_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")


def _mentions(skipped: str, package: str) -> bool:
    return re.search(rf"(?<![\w@./-]){re.escape(package)}(?![\w.-])", skipped) is not None


def _without_link(packages: Iterable[str], links: Sequence[str]) -> list[str]:
    """Those of the packages that the shared store does not hold in that version: `./@/ms/2.1.3`, `./@scope/x/1.0.0`.

    What came from elsewhere than a registry is named by a hash there, and not looked for.
    """
    there = {link.removeprefix("./").removeprefix("@/") for link in links}
    named = [package.rpartition("@") for package in packages]
    return [
        f"{name}@{version}" for name, _, version in named if version[:1].isdigit() and f"{name}/{version}" not in there
    ]


def _without_folder(packages: Iterable[str], folders: Sequence[str]) -> list[str]:
    """Those of the packages that have no folder in node_modules/.pnpm."""
    paths = sorted(folders)
    lost = []
    for package in packages:
        folder = re.sub(r'[\\/:*?"<>|#]', "+", package)
        start = folder[:_LONGEST]
        at = bisect.bisect_left(paths, start)
        # Behind the name stand its peers, or a hash: "react-dom@18.2.0_react@18.2.0".
        near = paths[at : at + 50]
        if not any(f == folder or f.startswith(f"{folder}_") or (folder > start and f.startswith(start)) for f in near):
            lost.append(package)
    return lost
