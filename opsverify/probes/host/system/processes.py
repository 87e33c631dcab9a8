"""What a running service was started with: its environment, and the version of what it runs."""

from __future__ import annotations

import io
import re
import shlex
from dataclasses import dataclass, replace
from typing import ClassVar

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.question import MIB, Answer, Block, Question, one_line, quote
from opsverify.probes.host.shell import CHOSEN, FAMILY, LISTENERS, MAIN_PIDS, main_pids, units
from opsverify.probes.host.system.secret import DatabaseAddress, SecretStrength, database_address, strength
from opsverify.probes.host.system.versions import Version, version_of

SHOWABLE = ("NODE_ENV", "PORT", "CORS_ORIGIN", "HEALTH_CHECK_DATABASE")
"""The only variables whose values leave the probe."""
REQUIRED = ("DATABASE_URL", "JWT_SECRET", "PORT", "NODE_ENV", "CORS_ORIGIN", "HEALTH_CHECK_DATABASE")


@dataclass(frozen=True)
class EnvironmentFacts:
    """What is known of a service's variables. It holds no secret's value."""

    source: str
    """Where it was read, for people: "process 1234", "/etc/mycats.env"."""
    present: frozenset[str]
    """The asked-for variables that are set and not empty."""
    empty: frozenset[str]
    sources: tuple[tuple[str, str], ...]
    """(variable, where it was found)."""
    values: tuple[tuple[str, str], ...]
    """(variable, value) for those of `SHOWABLE`."""
    secrets: tuple[tuple[str, SecretStrength], ...]
    database: DatabaseAddress | None
    unreadable: tuple[str, ...]
    """Sources that exist but may not be read: what is not `present` may stand there."""

    def value(self, name: str) -> str | None:
        """The value of a showable variable, None where not set; raises MissingPrivilege where that is unknown."""
        self.known(name)
        return dict(self.values).get(name)

    def secret(self, name: str) -> SecretStrength | None:
        """How strong a secret is, None where it is not set; raises MissingPrivilege where that is unknown."""
        self.known(name)
        return dict(self.secrets).get(name)

    def known(self, name: str) -> bool:
        """Whether a variable is set and not empty; raises MissingPrivilege where an unreadable place may hold it."""
        if name not in self.present | self.empty and self.unreadable:
            raise MissingPrivilege(
                f"whether {name} is set could not be determined: it is not in {self.source}, and "
                f"{', '.join(self.unreadable)} may not be read by this account"
            )
        return name in self.present


@dataclass(frozen=True)
class ProcessEnvironment(Question):
    """The variables that a running service has, without the values of secrets.

    Privileges: the same user or root for the process, else to read the unit's and the other files.

    Looked for in this order, each variable where it is found first: the environment of the process that does the
    work (behind npm or pnpm: the one that listens), which needs the same user or root; where that may not be read,
    the unit's Environment= and EnvironmentFile=; then `env_files`, which an application that uses dotenv
    reads after it has started (they never show in /proc). Of a process, only the variables in `names` leave the
    host; files are read whole. Source: proc_pid_environ(5), systemd.exec(5), dotenv's "does not override".
    """

    unit: str | None = None
    pid_file: str | None = None
    env_files: tuple[str, ...] = ()
    names: tuple[str, ...] = REQUIRED
    secret_names: tuple[str, ...] = ("JWT_SECRET",)

    helpers = (FAMILY, MAIN_PIDS, LISTENERS, CHOSEN)
    max_bytes: ClassVar[int] = MIB

    @property
    def title(self) -> str:
        return f"the environment of {self.unit or self.pid_file}"

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.names, *self.secret_names)))

    def script(self) -> str:
        if not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in self._names):
            raise ProbeError(f"{self.title}: a name of a variable is not one")
        return environment_script(self.unit, self.pid_file, self.env_files, "|".join(self._names)) + "exit 0\n"

    def parse(self, answer: Answer) -> EnvironmentFacts:
        if answer.truncated:
            raise ProbeError(f"{self.title} could not be determined: it is larger than {self.max_bytes:,} bytes")
        everything, sources, denied = variables_in(self.title, answer)
        found = {key: value for key, value in everything.items() if key in self._names}
        present = {key: value for key, (value, _) in found.items() if value}
        url = present.get("DATABASE_URL")
        return EnvironmentFacts(
            source=", ".join(sources),
            present=frozenset(present),
            empty=frozenset(found) - frozenset(present),
            sources=tuple(sorted((key, source) for key, (_, source) in found.items())),
            values=tuple((key, one_line(present[key])) for key in SHOWABLE if key in present),
            secrets=tuple((key, strength(present[key])) for key in self.secret_names if key in present),
            database=database_address(url) if url is not None else None,
            unreadable=tuple(denied),
        )


def environment_script(unit: str | None, pid_file: str | None, env_files: tuple[str, ...], names: str) -> str:
    """Shell that shows a service's variables, for `variables_in`: those that match `names`, files whole.

    `names` is an extended regular expression of whole names. Needs the helpers FAMILY, MAIN_PIDS, LISTENERS, CHOSEN.
    """
    pattern = quote(f"^({names})=")
    files = " ".join(quote(file) for file in env_files)
    of_unit = ""
    if unit is not None:
        of_unit = f"""
if [ -z "$seen" ]; then
u=$(systemctl show -p Environment -p EnvironmentFiles -- {quote(units(unit)[0])} 2>/dev/null)
echo "== unit"; printf '%s\\n' "$u" | sed -n 's/^Environment=//p'
printf '%s\\n' "$u" | sed -n 's/^EnvironmentFiles=\\(.*\\) (ignore_errors=.*$/\\1/p' |
while read -r f; do show unitfile "$f"; done
fi"""
    # NUL ends each variable and a value may hold line feeds: they change places with \\n and \\001.
    return f"""show() {{
if [ -r "$2" ]; then echo "== $1 $2"; sed 's/^/ /' "$2"; echo
elif [ -e "$2" ] || ls -d -- "$2" 2>&1 | grep -q 'ermission denied'; then echo "== denied $2"; echo "== hidden $1"
else echo "== missing $2"; fi
}}
main=$({main_pids(unit, pid_file)})
seen=
case $main in
'== main '*) main=${{main#== main }}; p=$(chosen $main); p=${{p:-${{main%% *}}}}
if cat "/proc/$p/environ" >/dev/null 2>&1; then seen=1
echo "== process $p"; tr '\\000\\n' '\\n\\001' < "/proc/$p/environ" | grep -E {pattern} | sed 's/^/ /'
else echo "== denied the environment of process $p"; fi;;
*) echo '== notrunning';;
esac
{of_unit}
for f in {files or '""'}; do [ -z "$f" ] || show envfile "$f"; done
"""


Found = dict[str, tuple[str, str]]
"""A variable's value, and where it was found."""


def variables_in(title: str, answer: Answer) -> tuple[Found, list[str], list[str]]:
    """The variables that `environment_script` showed, the sources read, and those that may not be read.

    Raises MissingPrivilege or ProbeError where nothing could be read.
    """
    found: Found = {}
    sources: list[str] = []
    denied: list[str] = []
    for name, values in _read_sources(answer.blocks(), denied):
        sources.append(name)
        for key, value in values.items():
            found.setdefault(key, (value, name))
    if not sources:
        if denied:
            places = one_line(", ".join(dict.fromkeys(denied)))
            raise MissingPrivilege(
                f"{title} could not be determined: this account may not read {places}; "
                "use the service's own account or root"
            )
        reason = "the service does not run, and no file names its variables"
        raise ProbeError(f"{title} could not be determined: {answer.complaint(reason)}")
    return found, sources, denied


def _read_sources(blocks: list[Block], denied: list[str]) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    of_unit: dict[str, str] = {}
    unit_sources: list[tuple[str, dict[str, str]]] = []
    for block in blocks:
        lines = [line[1:] for line in block.lines if line.startswith(" ")]
        if block.name == "process":
            values = dict(line.partition("=")[::2] for line in lines)
            found.append((f"process {block.rest}", {k: v.replace("\x01", "\n") for k, v in values.items()}))
        elif block.name == "unit":
            of_unit = _assignments(block.lines)
            if of_unit:
                unit_sources.append(("the unit's Environment=", of_unit))
        elif block.name == "unitfile":
            # Later files win over earlier ones, and all of them over Environment=.
            unit_sources.insert(0, (block.rest, _environment_file("\n".join(lines))))
        elif block.name == "envfile":
            found += unit_sources
            unit_sources = []
            found.append((block.rest, _dotenv("\n".join(lines))))
        elif block.name == "denied":
            denied.append(block.rest)
        elif block.name == "hidden" and block.rest == "unitfile":
            # It would win over what was read of the unit so far: that is not known to be in force.
            unit_sources = []
    return found + unit_sources


def _assignments(lines: list[str]) -> dict[str, str]:
    try:
        words = [word for line in lines for word in shlex.split(line)]
    except ValueError:
        return {}
    return dict(word.partition("=")[::2] for word in words if "=" in word)


def _environment_file(text: str) -> dict[str, str]:
    """systemd's own rules: no `export`, no comment after a value, a backslash at the end joins lines."""
    values = {}
    for line in re.sub(r"\\\n", "", text).split("\n"):
        stripped = line.strip()
        key, separator, value = stripped.partition("=")
        if not separator or stripped[:1] in ("#", ";"):
            continue
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            quoted, value = value[0], value[1:-1]
            value = re.sub(r'\\(["\\`$])', r"\1", value) if quoted == '"' else value
        values[key.strip()] = value
    return values


def _dotenv(text: str) -> dict[str, str]:
    import logging

    from dotenv import dotenv_values

    # python-dotenv warns about lines it cannot read; they may hold a secret's remainder.
    logging.getLogger("dotenv.main").disabled = True
    return {k: v for k, v in dotenv_values(stream=io.StringIO(text), interpolate=False).items() if v is not None}


@dataclass(frozen=True)
class ProcessExecutableVersion(Question):
    """The version of the executable that a service really runs: `/proc/PID/exe --version`.

    Runs that executable once, for its version only, and only when its file is named as `executable` says. It is the
    running one even where a newer one was installed since. Where it may not be seen, the file that the unit's
    ExecStart= or else the process's command names by its whole path is run instead, and the version's note says so:
    it is what the next start runs. Privileges: the same user or root for the running one; none for the other.
    """

    unit: str | None = None
    pid_file: str | None = None
    executable: str = "node"

    helpers = (FAMILY, MAIN_PIDS, LISTENERS, CHOSEN)

    @property
    def title(self) -> str:
        return f"the running {self.executable} of {self.unit or self.pid_file}"

    def script(self) -> str:
        name = quote(self.executable)
        started = "u=;"
        if self.unit is not None:
            paths = r"sed -n 's/^ExecStart={ path=\([^;]*\) ;.*/\1/p'"
            show = f"systemctl show -p ExecStart -- {quote(units(self.unit)[0])} 2>/dev/null"
            started = f"u=$({show} | {paths} | grep -e /{name}'$' | head -n 1);"
        return f"""main=$({main_pids(self.unit, self.pid_file)})
case $main in '== main '*) main=${{main#== main }};; *) echo '== notrunning'; exit 0;; esac
p=$(chosen $main); p=${{p:-${{main%% *}}}}
echo "== process $p"
e=$(readlink "/proc/$p/exe") || {{
ls -l "/proc/$p/exe" >/dev/null
{started} c=$(tr '\\000' '\\n' < "/proc/$p/cmdline" | head -n 1)
echo "== denied $c"
for f in "unit $u" "command $c"; do
b=${{f#* }}; case $b in /*) ;; *) continue;; esac
if [ "${{b##*/}}" = {name} ] && [ -x "$b" ]; then
echo "== as ${{f%% *}} $b"; echo '== version'; "$b" --version 2>&1 </dev/null | head -n 5; exit 0
fi
done
exit 0
}}
echo "== exe $e"
b=${{e##*/}}; b=${{b% (deleted)}}
[ "$b" = {name} ] || exit 0
echo '== version'; "/proc/$p/exe" --version 2>&1 </dev/null | head -n 5
"""

    def parse(self, answer: Answer) -> Version:
        process, exe, version = (answer.block(name) for name in ("process", "exe", "version"))
        if answer.block("notrunning"):
            raise ProbeError(f"{self.title} could not be determined: {answer.complaint('the service does not run')}")
        if denied := answer.block("denied"):
            return self._as_started(answer, process.rest if process else "?", one_line(denied.rest, 60))
        if exe is None or process is None:
            raise answer.failure(self.title)
        if version is None:
            raise ProbeError(f"{self.title} could not be determined: process {process.rest} runs {one_line(exe.rest)}")
        return version_of(self.title, "\n".join(version.lines), exe.rest)

    def _as_started(self, answer: Answer, process: str, command: str) -> Version:
        started, version = answer.block("as"), answer.block("version")
        if started is None or version is None:
            raise MissingPrivilege(
                f"{self.title} could not be determined: this account may not see what process {process} runs, and "
                f"neither its unit nor its command, {command or '?'}, names a {self.executable} by a whole path that "
                "this account may run; use the service's own account or root"
            )
        by, _, path = started.rest.partition(" ")
        what = "unit starts it" if by == "unit" else "command names it"
        note = f"as its {what} (what process {process} runs may not be seen by this account)"
        return replace(version_of(self.title, "\n".join(version.lines), path), note=note)
