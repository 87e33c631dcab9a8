"""All commands of a document, and what the rules make of them on a system. Pure: no command is run, by anybody."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from opsverify.errors import ProbeError
from opsverify.probes.host.release.named_things import NamedThings, Search
from opsverify.runbook_document import named
from opsverify.runbook_document.blocks import blocks
from opsverify.runbook_document.lint import Remark
from opsverify.runbook_document.rule import Finding, Rule, Sql
from opsverify.runbook_document.rules import RULES
from opsverify.runbook_document.rules.harmful import builds
from opsverify.runbook_document.rules.silent import shown
from opsverify.runbook_document.shell import Script, script_of
from opsverify.runbook_document.system import NotKnown, System

MOST_ASKED = 500
"""How many paths or units of one document are asked for at most."""
MOST_SEARCHES = 20
_SECRET = re.compile(
    r"(://[^\s:/@]*:)[^\s@/]+(?=@)|(\b\w*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY)\w*\s*[=:]\s*[\"']?)[^\s\"']+",
    re.IGNORECASE,
)
_ARGUMENT = re.compile(
    r"((?:^|\s)(?:-u|--user|--proxy-user)[= ]+[\"']?[^\s:\"']+:)[^\s\"']+"  # curl -u name:secret
    r"|((?:^|\s)--pass(?:word|wd)?[= ]+[\"']?)[^\s\"']+"
    r"|(\bsshpass\s+-p\s*[\"']?)[^\s\"']+"
    r"|(\b(?:mysql|mysqldump|mariadb|mariadb-dump)\b[^\n]*?\s-p)[^\s\"']+"
    r"|(\b\w*PASS\w*=)(?:'[^']*'|\"[^\"]*\"|\$'[^']*'|(?:\\.|[^\s\\])+)"
    r"|(\bPASSWORD\s+)'[^']*'"
    r"|((?:-H|--header)[= ]*[\"'](?!accept|content-type|host|origin|user-agent)[^:\"']+:\s*)[^\"']+",
    re.IGNORECASE,
)
"""What programs take as a secret, whatever it looks like. A quote needs no value: in doubt it is left out."""
_LONGEST_QUOTE = 160
MOST_TOLD = 5
"""Mistakes that are told whole in a check's sentence."""


@dataclass(frozen=True)
class Commands:
    """What a document tells people to type."""

    scripts: tuple[Script, ...]
    statements: tuple[Sql, ...]

    @property
    def count(self) -> int:
        """How many commands and SQL fences there are."""
        # The null command does nothing, and completes lines that are but a piece of one.
        return sum(one.name != ":" for script in self.scripts for one in script.commands) + len(self.statements)

    @property
    def not_understood(self) -> list[int]:
        """Lines that are no shell that is understood."""
        return [line for script in self.scripts for line in script.not_understood]


@dataclass(frozen=True)
class Held:
    """The findings in the document's order, and why it cannot be told of other commands."""

    findings: tuple[Finding, ...]
    unknown: tuple[ProbeError, ...]


def read(text: str) -> Commands:
    """Every command of a document of any content."""
    scripts: list[Script] = []
    statements: list[Sql] = []
    bases: dict[str, None] = {}
    for block in blocks(text):
        if block.is_sql:
            statements.append(Sql(block.text, block.line, _first(block.text)))
        script = script_of(block)
        if script is None:
            continue
        scripts.append(replace(script, bases=tuple(bases)))
        bases |= dict.fromkeys(f for f in script.folders if f and not f.startswith(("/", "..")))
    made = frozenset(path for script in scripts for c in script.commands for path in named.made(c, script))
    scripts = [replace(script, made=made) for script in scripts]
    statements += [sql for script in scripts for sql in _given_to_psql(script)]
    return Commands(tuple(scripts), tuple(statements))


def _given_to_psql(script: Script) -> Iterator[Sql]:
    for command in script.commands:
        if command.name != "psql":
            continue
        if (text := command.value("-c", "--command")) is not None:
            yield Sql(text.text, command.line, command.quote)
        for redirect in command.redirects:
            if redirect.body:
                yield Sql(redirect.body, redirect.body_line, _first(redirect.body))


def _first(text: str) -> str:
    return next((line.strip() for line in text.split("\n") if line.strip()), "")


def wanted(commands: Commands, checkouts: Collection[str], logs: Collection[str]) -> NamedThings:
    """What a host with these checkouts and log files must be asked before the rules can tell."""
    paths: dict[str, None] = {}
    units: dict[str, None] = {}
    searches: dict[Search, None] = {}
    known = System(logs=dict.fromkeys(logs, ""))
    for script in commands.scripts:
        for command in script.commands:
            places = [place for path in named.paths(command, script) for place in path.places]
            places += [file for _, file in builds(command, script)]
            paths |= dict.fromkeys(place for place in places if checkouts or place.startswith("/"))
            units |= dict.fromkeys(named.units(command))
            search = named.search(command, script)
            if search is not None and (log := known.log_of(search.path)) is not None:
                searches[Search(log, search.options, search.pattern)] = None
    return NamedThings(
        tuple(checkouts), tuple(paths)[:MOST_ASKED], tuple(units)[:MOST_ASKED], tuple(searches)[:MOST_SEARCHES]
    )


def hold(commands: Commands, system: System, rules: Mapping[str, Rule] = RULES) -> Held:
    """Hold every command against every rule."""
    findings: list[Finding] = []
    unknown: dict[str, ProbeError] = {}
    for rule in rules.values():
        targets: list[tuple[int, str, tuple[object, ...]]]
        if rule.of_sql:
            targets = [(sql.line, sql.quote, (sql, system)) for sql in commands.statements]
        else:
            targets = [
                (command.line, command.quote, (command, script, system))
                for script in commands.scripts
                for command in script.commands
            ]
        for line, quote, arguments in targets:
            try:
                for words in rule.match(*arguments) or ():
                    texts = {name: shown(str(value)) for name, value in words.items()}
                    finding = Finding(rule.id, line, _quoted(quote), *(
                        without_secrets(text.format_map(texts)) for text in (rule.why, rule.better)
                    ))  # fmt: skip
                    if finding not in findings:
                        findings.append(finding)
            except NotKnown as reason:
                unknown.setdefault(str(reason), reason.reason)
    findings.sort(key=lambda finding: finding.line)
    return Held(tuple(findings), tuple(unknown.values()))


def linted(remarks: Iterable[Remark]) -> list[Finding]:
    """Shellcheck's remarks as findings, each of a rule called by its code: SC2115."""
    better = "what shellcheck has nothing against: shellcheck.net/wiki/"
    return [Finding(f"SC{r.code}", r.line, _quoted(r.quote), r.message, f"{better}SC{r.code}") for r in remarks]


def together(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """(what was found, what to write instead), of one mistake once with all of its lines.

    Where there are more than a sentence can hold, they are counted, by rule, and no more.
    """
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((finding.rule, finding.why, finding.better), []).append(finding)
    if len(alike) > MOST_TOLD:
        by_rule: dict[str, list[Finding]] = {}
        for (rule, _, _), members in alike.items():
            by_rule.setdefault(rule, []).extend(members)
        counted = "; ".join(f"{rule} on {_lines(members)}" for rule, members in by_rule.items())
        count = sum(len(members) for members in alike.values())
        return [(f"{count} mistakes: {counted}", "none; the HTML report says of each why, and what to write instead")]
    return [
        (f"{_lines(members)}, `{members[0].quote}`: {why} ({rule})", better)
        for (rule, why, better), members in alike.items()
    ]


def _lines(findings: Iterable[Finding]) -> str:
    lines = sorted({finding.line for finding in findings})
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}"


def without_secrets(text: str) -> str:
    """A document's text without passwords: runbooks hold some, and reports are shown around."""
    for pattern in (_ARGUMENT, _SECRET):
        text = pattern.sub(lambda match: f"{next(filter(None, match.groups()))}***", text)
    return text


def _quoted(text: str) -> str:
    text = without_secrets(text)
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


__all__ = ["Commands", "Held", "hold", "linted", "read", "together", "wanted"]
