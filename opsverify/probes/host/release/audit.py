"""Known vulnerabilities of the packages that a checkout depends on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from opsverify.errors import ProbeError
from opsverify.probes.host.files.listing import missing
from opsverify.probes.host.question import MIB, Answer, Question, one_line
from opsverify.probes.host.shell import FOLDER, OWNER
from opsverify.probes.host.shell_file import ShellFile

SEVERITIES = ("critical", "high", "moderate", "low", "info")


@dataclass(frozen=True)
class AuditReport:
    """How many vulnerabilities of each severity the production dependencies have."""

    tool: str
    counts: tuple[tuple[str, int], ...]
    """(severity, how many), from critical to info."""
    packages: tuple[tuple[str, str], ...]
    """(severity, package) of those found, worst first."""

    def of(self, severity: str) -> int:
        """How many of that severity; raises ProbeError for a severity that does not exist."""
        if severity not in SEVERITIES:
            raise ProbeError(f"{severity!r} is no severity of an audit: {', '.join(SEVERITIES)}")
        return dict(self.counts)[severity]


@dataclass(frozen=True)
class Audit(Question):
    """Known vulnerabilities of a checkout's production dependencies, by the tool that its lock file is of.

    pnpm or npm ask their registry about the lock file, which takes seconds: ask it through `audit_probe`. They see a
    copy of it in a private scratch folder, as whatever else lies in a checkout may make them run programs
    (.pnpmfile.cjs, settings in .npmrc); root has them run as the checkout's owner. They are kept from installing
    anything, themselves included. Their exit code is 1 for vulnerable and for "could not run" alike, so only their
    JSON counts. Privileges: to read the checkout; the host must reach the registry.
    """

    checkout_path: str
    folders: tuple[str, ...] = ()
    timeout_seconds: float = 60.0

    shell = ShellFile(__package__, "audit.sh")
    helpers = (FOLDER, OWNER)
    slow: ClassVar[bool] = True
    seconds: ClassVar[float] = 86400.0
    max_bytes: ClassVar[int] = 16 * MIB

    @property
    def title(self) -> str:
        return f"the audit of {self.checkout_path}"

    @property
    def arguments(self) -> tuple[str | int, ...]:
        return self.checkout_path, ":".join(self.folders), max(1, round(self.timeout_seconds))

    def parse(self, answer: Answer) -> AuditReport:
        if missing(self.title, self.checkout_path, answer):
            raise ProbeError(f"{self.title} could not be determined: there is no such folder")
        if answer.block("nolock"):
            raise ProbeError(f"{self.title} could not be determined: there is no pnpm-lock.yaml or package-lock.json")
        tool, json_block, status, end = (answer.block(name) for name in ("tool", "json", "status", "end"))
        name = tool.rest if tool else ""
        if name and answer.block("notool"):
            raise ProbeError(
                f"{self.title} could not be determined: its lock file is of {name}, which this account does not find "
                "on the host (add its folder to the host's search_path)"
            )
        if json_block is None or not name:
            raise answer.failure(self.title)
        if end is None:
            raise answer.failure(self.title, "it was broken off")
        text = "\n".join(json_block.lines).strip()
        if status is not None and status.rest in ("124", "137", "143"):
            raise ProbeError(
                f"{self.title} could not be determined: {name} had no answer in {self.timeout_seconds:g} s"
            )
        if not text and answer.denied:
            raise answer.failure(self.title)
        if not text:  # pnpm 12 puts an error on stderr, in several lines
            reason = one_line(" ".join(answer.errors.split())) or "it said nothing"
            raise ProbeError(f"{self.title} could not be determined: {name} could not run it ({reason})")
        try:
            report = json.loads(text)
        except (ValueError, RecursionError):
            raise ProbeError(f"{self.title} could not be determined: {name} said {one_line(text)!r}") from None
        return read_report(self.title, name, report)


def read_report(title: str, tool: str, report: Any) -> AuditReport:
    """What an audit's JSON says: pnpm's (advisories by id) or npm's (vulnerabilities by package).

    Raises ProbeError, with the tool's own words, for one that could not run, and for counts that are not there.
    """
    metadata = report.get("metadata") if isinstance(report, dict) else None
    counted = metadata.get("vulnerabilities") if isinstance(metadata, dict) else None
    if not isinstance(counted, dict) or "error" in report:
        raise ProbeError(f"{title} could not be determined: {tool} could not run it ({_reason(report)})")
    packages = _packages(report)
    counts = []
    for severity in SEVERITIES:
        number = counted.get(severity)
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise ProbeError(f"{title} could not be determined: {tool} does not say how many are {severity}")
        # The lists count where they say more: a total must never hide what is named below it.
        counts.append((severity, max(number, sum(one == severity for one, _ in packages))))
    return AuditReport(tool, tuple(counts), tuple(packages))


def _packages(report: dict[str, Any]) -> list[tuple[str, str]]:
    packages = set()
    for key in ("advisories", "vulnerabilities"):
        listed = report.get(key)
        for name, one in listed.items() if isinstance(listed, dict) else ():
            severity = one.get("severity") if isinstance(one, dict) else None
            if severity in SEVERITIES:
                packages.add((severity, one_line(str(one.get("module_name") or one.get("name") or name), 80)))
    return sorted(packages, key=lambda one: (SEVERITIES.index(one[0]), one[1]))


def _reason(report: Any) -> str:
    error = report.get("error") if isinstance(report, dict) else None
    sources = (error, report) if isinstance(error, dict) else (report,)
    for source in sources:
        for key in ("message", "summary", "code"):
            if isinstance(source, dict) and isinstance(source.get(key), str) and source[key].strip():
                return one_line(source[key])
    return one_line(error) if isinstance(error, str) and error.strip() else "it gave no reason"
