"""Scripts of package.json as commands run them: `pnpm -w run x`, `npm test`, `yarn x`. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from opsverify.probes.host.release.named_things import Package
from opsverify.runbook_document.shell import Command, Script
from opsverify.runbook_document.system import System

_SHORT = ("start", "test", "stop", "restart")
_FOLDERS = ("-C", "--dir", "--prefix", "--cwd")
_FILTERS = ("--filter", "-F", "--workspace", "-w")
_WITH_VALUE = ("-C", "--dir", "--prefix", "--cwd", "--filter", "-F", "--loglevel", "--reporter", "--workspace")
_OWN = frozenset(
    {
        *("add", "approve-builds", "audit", "bin", "cache", "config", "create", "dedupe", "deploy", "dlx", "doctor"),
        *("env", "exec", "fetch", "global", "i", "import", "info", "init", "install", "licenses", "link", "list", "ls"),
        *("node", "outdated", "pack", "patch", "prune", "publish", "rebuild", "remove", "rm", "root", "self-update"),
        *("setup", "store", "unlink", "up", "update", "upgrade", "why", "workspace", "workspaces"),
    }
)
"""Commands of pnpm and yarn themselves."""


@dataclass(frozen=True)
class PackageScript:
    """`name` as it is run; `found`: the package.json files that have it, of those that it can mean; `places`: those."""

    name: str
    found: tuple[Package, ...]
    places: tuple[str, ...]


def script_name(command: Command) -> str | None:
    """The script that a command runs; None where it runs none, or one that is not written out."""
    if command.name not in ("npm", "pnpm", "yarn") or command.elsewhere:
        return None
    operands = command.operands([o for o in _WITH_VALUE if not (o == "-w" and command.name == "pnpm")])
    if command.name == "npm" and command.has("-w"):
        operands = command.operands((*_WITH_VALUE, "-w"))
    words = [word for word in operands if word.text]
    if words and words[0].text in ("run", "run-script"):
        words = words[1:]
    elif not (words and words[0].text in _SHORT):
        return None
    if not words or not words[0].known or words[0].text.startswith("/"):
        return None
    return words[0].text


def _bare(command: Command) -> str | None:
    """The word that pnpm and yarn take for a script where they have no command of that name: `pnpm test:health`."""
    if command.name not in ("pnpm", "yarn") or command.elsewhere:
        return None
    word = next(iter(command.operands([o for o in _WITH_VALUE if o != "-w"])), None)
    return word.text if word is not None and word.known and word.text not in _OWN else None


def package_script(command: Command, script: Script, system: System) -> PackageScript | None:
    """The script of a package that a command runs; None for none, or where no checkout is known. Raises NotKnown."""
    name = script_name(command) or _bare(command)
    if name is None or not (system.hosts or system.unanswered):
        return None
    if not any(host.checkouts for host in system.hosts.values()) and not system.unanswered:
        return None
    packages = system.packages()
    if not packages:
        return None
    meant = _meant(command, script, system, packages) or packages
    found = tuple(package for package in meant if name in package.scripts)
    optional = script_name(command) is None or (name in ("start", "restart", "stop") and command.texts[0] == name)
    if not found and optional:  # npm has something of its own for these, and pnpm runs programs, too
        return None
    return PackageScript(name, found, tuple(package.path for package in meant))


def _meant(command: Command, script: Script, system: System, packages: list[Package]) -> list[Package]:
    """The packages that it can mean: by its options, or the folder that it runs in; empty where neither tells."""
    roots = [checkout.path for checkout in system.checkouts]
    if command.name == "pnpm" and command.has("-w", "--workspace-root"):
        return [package for package in packages if posixpath.dirname(package.path) in roots]
    if command.has("-r", "--recursive", "--workspaces"):
        return []
    named = command.value(*(o for o in _FILTERS if not (o == "-w" and command.name != "npm")))
    if named is not None:
        wanted = named.text.strip("./{}").removeprefix("@").rpartition("/")[2]
        return [p for p in packages if wanted in (p.name, p.name.rpartition("/")[2], _folder(p))]
    given = command.value(*_FOLDERS)
    folder = script.resolved(command, given.text if given and given.known else ".")
    if folder in (None, ".") or folder is None:
        return []
    if folder.startswith("/"):
        return [package for package in packages if posixpath.dirname(package.path) == folder]
    return [p for p in packages if posixpath.dirname(p.path) in [f"{root}/{folder}" for root in roots]]


def _folder(package: Package) -> str:
    return posixpath.basename(posixpath.dirname(package.path))


__all__ = ["PackageScript", "package_script", "script_name"]
