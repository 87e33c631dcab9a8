"""Commands that do harm."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsverify.runbook_document import named
from opsverify.runbook_document.package_scripts import package_script, script_name
from opsverify.runbook_document.rule import Command, Script, System, Words, rule
from opsverify.runbook_document.shell import Word

KIND = "does harm"

BUILDS = {".next": ".next/BUILD_ID", "dist": "dist/main.js"}
"""What a build leaves, by the folder that it is in."""
_DUMPS = ("pg_dump", "pg_dumpall", "mysqldump", "pg_basebackup")
_NEVER_EMPTY = ("HOME", "PWD", "OLDPWD", "USER", "TMPDIR", "LOGNAME")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))(?P<rest>/.*)?$", re.DOTALL)


def builds(command: Command, script: Script) -> list[tuple[str, str]]:
    """(folder, file that shows that a build is in it) of each build that a command deletes."""
    if command.name != "rm" or not command.has("-r", "-R", "--recursive") or command.elsewhere:
        return []
    found = []
    for word in command.operands():
        place = script.resolved(command, word.text.rstrip("/")) if word.known else None
        name = (place or "").rpartition("/")[2]
        if place and name in BUILDS and not place.startswith(".."):
            found.append((place, f"{place.removesuffix(name)}{BUILDS[name]}"))
    return found


@rule(
    KIND,
    needs="paths below the checkouts",
    why="{folder} is the build that is being served ({file} is there): pages break at once, and nothing starts again",
    better="rm -rf {folder}/cache, or a build into another checkout and then the switch",
)
def live_build_deleted(command: Command, script: Script, system: System) -> Iterator[Words]:
    """`rm -rf frontend/.next` of the build that is being served, with no build behind it."""
    for folder, file in builds(command, script):
        if any(
            "build" in " ".join(c.texts)
            for c in script.following(command)
            if c.name in ("npm", "pnpm", "yarn", "npx", "next")
        ):
            continue
        if system.can_look_for(folder) and (there := system.exists(file)):
            yield {"folder": folder, "file": there}


def _restores(command: Command) -> bool:
    fed = any(r.operator == "<" for r in command.redirects) or bool(command.before)
    return command.name == "pg_restore" or (command.name == "psql" and (fed or command.has("-f", "--file")))


@rule(
    KIND,
    why="{database} is gone before anybody knows whether the dump can be restored",
    better="createdb {database}_restored, restore into it, compare its counts, then rename the databases: "
    "ALTER DATABASE {database} RENAME TO {database}_before",
)
def database_dropped_before_restore(command: Command, script: Script, system: System) -> Iterator[Words]:
    """`dropdb` before anything was restored: the old database is gone, and the dump untried."""
    dropped = None
    if command.name == "dropdb":
        operands = command.operands(("-h", "-p", "-U", "--host", "--port", "--username", "--maintenance-db"))
        dropped = operands[-1].text if operands else None
    elif command.name == "psql" and (sql := command.value("-c", "--command")) is not None:
        match = re.search(r"\bDROP\s+DATABASE\s+(?:IF\s+EXISTS\s+)?\"?([\w$-]+)", sql.text, re.IGNORECASE)
        dropped = match[1] if match else None
    if dropped is None or any(_restores(c) for c in script.commands[: command.index]):
        return
    if any(_restores(c) for c in script.following(command)):
        yield {"database": re.sub("\ufffc\\w*", "DATABASE", dropped)}


@rule(
    KIND,
    why="{why}",
    better="{better}",
)
def pkill_misses_server(command: Command, script: Script, system: System) -> Iterator[Words]:
    """`pkill -f "npm run start"`: the wrapper dies, the server stays up."""
    if command.name not in ("pkill", "pgrep") or not command.has("-f", "--full") or command.elsewhere or command.tested:
        return
    pattern = next((word.text for word in command.operands(("-u", "-U", "-s", "-t", "-P", "--signal"))), "")
    if re.match(r"\^?(?:npm|pnpm|yarn|npx)\b", pattern):
        why, role = f"`{pattern}` is the wrapper: the node process that it started goes on serving", "backend"
    elif re.match(r"\^?(?:node \S*)?next start", pattern):
        why, role = (
            "Next.js calls its process next-server: the pattern matches the wrapper at most, and the site stays up",
            "frontend",
        )
    else:
        return
    unit = system.units.get(role)
    yield {
        "why": why,
        "better": f"systemctl stop {unit}" if unit else "what started it: systemctl stop, or the pid of its pid file",
    }


@rule(
    KIND,
    why="where ${name} is empty, it deletes {what}",
    better='"${{{name}:?}}" in the place of {written}',
)
def delete_below_empty_variable(command: Command, script: Script, system: System) -> Iterator[Words]:
    """`find $DIR -delete`, `rm -rf $DIR/x` where nobody sees to it that `$DIR` is something."""
    finds = command.name == "find" and (
        "-delete" in command.texts or ("-exec" in command.texts and "rm" in command.texts)
    )
    removes = command.name == "rm" and command.has("-r", "-R", "--recursive")
    if not (finds or removes) or "nounset" in script.options:
        return
    for word in command.arguments if removes else _starts(command):
        match = _VARIABLE.match(word.text)
        if match is None:
            continue
        name = match[1] or match[2]
        rest = match["rest"] or ""
        if (removes and not rest) or (finds and not rest and word.quoted) or name in _NEVER_EMPTY or name.isdigit():
            continue  # `rm ""` and `find ""` delete nothing
        if _is_set(name, command, script):
            continue
        # What a variable is at last is not known here: only whether somebody sees to it that it is something.
        what = f"below {rest if rest.strip('/') else '/'}" if rest else "in the folder that one happens to be in"
        yield {"name": name, "what": what, "written": match[0].removesuffix(rest)}


def _starts(command: Command) -> list[Word]:
    words = []
    for word in command.arguments:
        if word.text.startswith(("-", "(", "!")):
            break
        words.append(word)
    return words


def _is_set(name: str, command: Command, script: Script) -> bool:
    value = script.assigned.get(name)
    if value is not None and value.text.strip() and not re.fullmatch(r"\$\{?\d\}?|\$\{\w+:?-\}", value.text):
        return True
    before = script.block.text.split("\n")[: command.line - script.block.line + 1]
    guard = re.compile(rf"-[nd] \"?\$\{{?{name}\b|\$\{{{name}:[?=-]|\bread\b.*\b{name}\b|\bfor {name} in")
    return any(guard.search(line) for line in before)


@rule(
    KIND,
    why="it unpacks over the root of the running system: whatever the archive holds replaces what is there",
    better="tar -xzf {file} -C into an empty folder, compare, then move what is needed",
)
def archive_over_root(command: Command, script: Script, system: System) -> Iterator[Words]:
    """`tar -x … -C /`: an archive unpacked over the running system."""
    if command.name != "tar" or command.elsewhere or not command.texts:
        return
    into = command.value("-C", "--directory")
    if (
        into is not None
        and into.text == "/"
        and (re.match(r"-?[A-Za-z]*x", command.texts[0]) or command.has("--extract"))
    ):
        archive = next((p.written for p in named.paths(command, script)), "ARCHIVE")
        yield {"file": archive}


@rule(
    KIND,
    needs="whether it is production, package.json of the checkouts",
    why="{what} is for developers: in production it compiles on demand, watches files and shows its errors to users",
    better="{better}",
)
def development_server(command: Command, script: Script, system: System) -> Iterator[Words]:
    """`next dev` and the like in production."""
    if not system.production or re.search(r"開発|ローカル|develop|local", script.block.chapter, re.IGNORECASE):
        return
    run, typed = package_script(command, script, system), " ".join((command.name, *command.texts))
    name = run.name if run is not None else script_name(command)
    if name is not None and re.fullmatch(r"dev|start:dev|start:debug|develop|(?:backend|frontend|api|web):dev", name):
        if run is not None and not run.found:
            return  # which is another finding
        what = name
    elif re.match(r"(?:npx )?next dev\b|(?:npx )?nest start .*--watch|(?:npx )?nodemon\b", typed):
        what = typed
    else:
        return
    units = " ".join(system.units[role] for role in ("backend", "frontend") if role in system.units)
    yield {"what": what, "better": f"systemctl start {units}" if units else "the build, by the service that runs it"}


@rule(
    KIND,
    why="old backups are deleted also when {dump} above it has failed: after some such nights none is left",
    better="set -eu at its head, so that nothing is deleted after a failed backup",
)
def old_backups_deleted_anyway(command: Command, script: Script, system: System) -> Iterator[Words]:
    """Old backups deleted by a script also when the new one failed."""
    if command.name != "find" or not script.block.is_program or "errexit" in script.options or command.tested:
        return
    if not any(text in ("-mtime", "-mmin", "-ctime") for text in command.texts):
        return
    if "-delete" not in command.texts and "rm" not in command.texts:
        return
    dump = next((c for c in script.commands[: command.index] if c.name in _DUMPS and not c.tested), None)
    first = next((c for c in script.commands if c.name == "find" and "-mtime" in c.texts), None)
    if dump is not None and (first is None or first.index == command.index):
        yield {"dump": dump.name}
