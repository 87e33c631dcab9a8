"""Commands that do not fail where they should."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsverify.runbook_document.blocks import Block
from opsverify.runbook_document.package_scripts import package_script
from opsverify.runbook_document.rule import Command, Script, System, Words, rule
from opsverify.runbook_document.shell import parse

KIND = "cannot fail where it should"

_HEALTH = re.compile(r"/(?:health|healthz|health-?check|ready|readyz|livez?|liveness|readiness|ping)(?:/|$)")
_DUMPS = ("pg_dump", "pg_dumpall", "pg_basebackup", "mysqldump", "mongodump", "tar")
_PASS_ON = (
    "gzip",
    "pigz",
    "bzip2",
    "xz",
    "zstd",
    "tee",
    "cat",
    "head",
    "tail",
    "ssh",
    "openssl",
    "gpg",
    "age",
    "split",
)
"""What ends well whatever it was fed."""


def blind_curl(command: Command) -> bool:
    """Whether a curl looks after a service, and would take an error page for its answer."""
    if command.name != "curl" or command.has("-f", "--fail", "--fail-with-body", "-X", "--request"):
        return False
    if command.has("-I", "--head", "-i", "--include", "-v", "--verbose"):
        return False  # a person sees the status
    if command.has("-d", "--data", "--json", "-F", "--form", "-T", "--upload-file", "-V", "--version"):
        return False
    if command.after or any("http_code" in text or "response_code" in text for text in command.texts):
        return False
    url = next((text for text in command.texts if re.match(r"https?://|localhost|127\.0\.0\.1|\$", text)), "")
    output = command.value("-o", "--output")
    if command.has("-O", "--remote-name") or (output is not None and output.text != "/dev/null"):
        return False  # it fetches a file
    discarded = output is not None
    return bool(_HEALTH.search(re.sub(r"[?#].*", "", url))) or ((discarded or command.tested) and bool(url))


@rule(
    KIND,
    why="without -f, curl ends with 0 on 401, 429, 500 and 503 as well: an error page passes for an answer",
    better="curl -fsS --max-time 10 {rest}",
)
def curl_without_fail(command: Command, script: Script, system: System) -> Iterator[Words]:
    """`curl` without `-f` where something is looked after: an error page passes for an answer."""
    if blind_curl(command):
        url = next((text for text in command.texts if "://" in text or text.startswith(("$", "localhost"))), "URL")
        timed = command.value("-w", "--write-out")
        yield {"rest": f"-o /dev/null -w '{timed.text.strip()}' {url}" if timed else url}


@rule(
    KIND,
    needs="package.json of the checkouts",
    why="its script {script} is `{content}` ({file}): curl without -f ends with 0 on 500, 503 and 429",
    better="curl -fsS --max-time 10 {url}, here and in the script",
)
def script_without_fail(command: Command, script: Script, system: System) -> Iterator[Words]:
    """A script of package.json that is such a `curl`: `pnpm -w run test:health` ends with 0 on 500 and 503."""
    run = package_script(command, script, system)
    if run is None or not run.found:
        return
    for package in run.found:
        content = package.scripts[run.name]
        inner = parse(Block("sh", 1, content), content)
        for one in inner.commands:
            if blind_curl(one) or (_checks(run.name, content) and _is_end(one, len(inner.commands))):
                url = next((text for text in one.texts if "://" in text), "URL")
                yield {"script": run.name, "content": content, "file": package.path, "url": url}
                return


def _checks(name: str, content: str) -> bool:
    """Whether a script is there to tell how something is, and leaves that to how it ends."""
    return bool(re.search(r"test|health|check|verify|smoke", name)) and "http_code" not in content


def _is_end(command: Command, count: int) -> bool:
    """Whether a script ends as this curl does, which takes error pages for answers."""
    failing = command.has("-f", "--fail", "--fail-with-body")
    return command.name == "curl" and not failing and not command.after and command.index == count - 1


@rule(
    KIND,
    why="a pipeline ends as its last command does: when {first} fails, {last} still ends with 0{leaves}",
    better="set -o pipefail before it, or {first} into a file first, checked, and {last} after it",
)
def status_hidden_by_pipe(command: Command, script: Script, system: System) -> Iterator[Words]:
    """A command that may fail, before a pipe that does not: `pg_dump mycats | gzip > x.gz` without pipefail."""
    if command.before or not command.after or "pipefail" in script.options or command.elsewhere:
        return
    last = command.after[-1]
    dumped = command.name in _DUMPS and last in _PASS_ON and not (command.name == "tar" and not _creates(command))
    judged = (
        command.tested
        and last in ("tee", "cat", "head", "tail")
        and command.name not in ("echo", "printf", "yes", "cat")
    )
    if dumped or judged:
        leaves = ", and leaves a file that looks like a backup" if dumped else ""
        yield {"first": command.name, "last": last, "leaves": leaves}


def _creates(command: Command) -> bool:
    return bool(command.texts) and (command.has("--create") or bool(re.match(r"-?[A-Za-z]*c", command.texts[0])))


_DUMPED = re.compile(r"dump|backup|bak\b|restor|(?:^|[/_-])db_|\d{6}|YYYY|%Y|\$", re.IGNORECASE)
_RESTORE = re.compile(r"復旧|復元|リストア|restor|recover", re.IGNORECASE)


@rule(
    KIND,
    why="without ON_ERROR_STOP, psql goes on after an error and ends with 0: half a restore passes for a whole one",
    better="psql -X -v ON_ERROR_STOP=1 --single-transaction -d {database} -f {file}",
)
def psql_without_on_error_stop(command: Command, script: Script, system: System) -> Iterator[Words]:
    """A dump restored by `psql < dump.sql` without ON_ERROR_STOP: it ends with 0 whatever went wrong."""
    if command.name != "psql" or any("ON_ERROR_STOP" in text for text in command.texts):
        return
    fed = next((r.target.text for r in command.redirects if r.operator == "<"), "")
    named = command.value("-f", "--file")
    unpacked = bool(set(command.before) & {"gunzip", "zcat", "gzip", "pigz", "zstd", "zstdcat", "xz", "xzcat", "bzcat"})
    source = fed or (named.text if named else "") or ("a dump" if unpacked else "")
    # Of a migration or a script, the file itself may say what becomes of an error.
    if source and (_DUMPED.search(source) or _RESTORE.search(script.block.chapter)):
        values = (
            "-d",
            "--dbname",
            "-U",
            "--username",
            "-h",
            "--host",
            "-p",
            "--port",
            "-f",
            "--file",
            "-v",
            "--set",
            "-c",
        )
        database = command.value("-d", "--dbname") or next(iter(command.operands(values)), None)
        yield {
            "database": shown(database.text) if database else "DATABASE",
            "file": shown(fed or (named.text if named else "FILE")),
        }


@rule(
    KIND,
    why="nothing looks at how {command} ends: a failed backup leaves an empty file, and the script goes on{says}",
    better="set -eu at its head, write to a file of another name, and mv it into place when {command} has ended well",
)
def backup_without_error_handling(command: Command, script: Script, system: System) -> Iterator[Words]:
    """A script of backups that goes on when `pg_dump` has failed, and says that it is done."""
    if not script.block.is_program or "errexit" in script.options or command.tested:
        return
    if command.name not in ("pg_dump", "pg_dumpall", "mysqldump"):
        return
    # What follows may still look at $?, or at the file.
    behind = script.block.text.split("\n")[command.line - script.block.line + 1 :]
    if any(re.search(r"\$\?|\[\[? !? ?-s |PIPESTATUS", line) for line in behind[:4]):
        return
    said = next((c for c in script.following(command) if c.name == "echo" and _PRAISE.search(" ".join(c.texts))), None)
    says = f' to say "{shown(said.texts[0])}"' if said else ""
    yield {"command": command.name, "says": says}


_PRAISE = re.compile(r"complet|success|finish|done|ok\b|完了|成功|終了", re.IGNORECASE)


def shown(text: str) -> str:
    """A word as a reader of the document knows it."""
    return re.sub("\ufffcPLACEHOLDER_*|\ufffc\\w*", "<…>", text)
