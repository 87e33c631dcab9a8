"""What commands name and the system does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsverify.runbook_document import named
from opsverify.runbook_document.package_scripts import package_script
from opsverify.runbook_document.rule import Command, Script, System, Words, rule

KIND = "does not exist here"

_ROLES = (
    ("backend", r"back|api"),
    ("frontend", r"front|web|next"),
    ("database", r"postgres|pg|db"),
    ("proxy", r"nginx|proxy"),
)
_SCALE = 3


def _absent(command: Command, script: Script, system: System, *roles: str) -> Iterator[tuple[named.NamedPath, str]]:
    """(path, where it is instead) of each that no host has."""
    for path in named.paths(command, script):
        if path.role not in roles or not system.can_look_for(path.written):
            continue
        if not system.has_any(path.places):
            yield path, next((place for p in path.places if (place := system.elsewhere(p))), "")


@rule(
    KIND,
    needs="paths on the hosts, below the checkouts",
    why="there is no {path} {where}",
    better="{better}",
)
def script_missing(command: Command, script: Script, system: System) -> Iterator[Words]:
    """A script that no checkout has: `./start-app.sh`."""
    for path, instead in _absent(command, script, system, "script"):
        written = "write the script, add it to the checkout, and name it by its whole path; or say what it was to do"
        built = "the build that makes it, before it" if re.search(r"(?:^|/)(?:dist|build)/", path.written) else ""
        better = instead or built or written
        yield {"path": path.written, "where": system.where(path.written), "better": better}


@rule(
    KIND,
    needs="paths on the hosts, below the checkouts",
    why="there is no {path} {where}",
    better="{better}",
)
def path_missing(command: Command, script: Script, system: System) -> Iterator[Words]:
    """A file or a folder that is read or written to, and is on no host: `tail -f backend/app.log`."""
    for path, instead in _absent(command, script, system, "file", "folder"):
        makes = f"mkdir -p {path.written} once, or the folder that is meant" if path.role == "folder" else ""
        better = instead or makes or "the path that it has on this system"
        yield {"path": path.written, "where": system.where(path.written), "better": better}


@rule(
    KIND,
    why="{path} is nobody's path, in a script that is run as it stands{here}",
    better="{command} with the real path{real}",
)
def path_to_fill_in(command: Command, script: Script, system: System) -> Iterator[Words]:
    """`/path/to/…` in a script that is run as it stands."""
    for word in command.words if script.block.is_program else ():  # else a person fills it in
        match = re.match(r"(?:--?[\w-]+=)?(/path/to(?:/[^\s'\"]*)?)", word.text)
        if match:
            roots = [checkout.path for checkout in system.checkouts]
            here = f"; the checkout is {roots[0]}" if roots else ""
            yield {"path": match[1], "here": here, "command": command.name, "real": f": {roots[0]}" if roots else ""}


@rule(
    KIND,
    needs="systemd units of the hosts",
    why="no host has a unit {unit}{how}",
    better="{better}",
)
def unit_missing(command: Command, script: Script, system: System) -> Iterator[Words]:
    """A systemd unit that no host knows: `systemctl restart mycats-api`."""
    if not system.hosts and not system.unanswered:
        return
    for unit in named.units(command):
        if system.has_unit(unit):
            continue
        how = "" if any(host.systemd for host in system.hosts.values()) else ": none of them runs systemd"
        role = next((role for role, pattern in _ROLES if re.search(pattern, unit)), "")
        real = system.units.get(role) or ", ".join(dict.fromkeys(system.units.values()))
        yield {
            "unit": unit,
            "how": how,
            "better": f"the unit here: {real}" if real else "how it is started on this system",
        }


@rule(
    KIND,
    needs="package.json of the checkouts",
    why="{places} no script {name}: {manager} ends with an error",
    better="{better}",
)
def package_script_missing(command: Command, script: Script, system: System) -> Iterator[Words]:
    """A script that package.json does not have: `pnpm -w run dev`."""
    run = package_script(command, script, system)
    if run is None or run.found:
        return
    owners = [package for package in system.packages() if run.name in package.scripts]
    names = sorted({name for package in system.packages() if package.path in run.places for name in package.scripts})
    listed = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    better = (
        f"pnpm --filter {owners[0].name} run {run.name}" if owners else f"one of its scripts: {listed or 'it has none'}"
    )
    few = ", ".join(run.places[:_SCALE]) + (" and others" if len(run.places) > _SCALE else "")
    have = "has" if len(run.places) == 1 else "have"
    yield {"places": f"{few} {have}", "name": run.name, "manager": command.name, "better": better}
