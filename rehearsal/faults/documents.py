"""Documents that do not tell what is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rehearsal.faults.doing import ago, appended, edited, holding
from rehearsal.faults.fault import ALERT, WARNING, fault
from rehearsal.faults.release import MODIFIED, without_git
from rehearsal.parts.logs import shell_date

if TYPE_CHECKING:
    from rehearsal.whole import Rehearsal


@fault("The log of operations tells of another version, and of no maintenance for nine days.",
       {"operations-log[operations-log]": ALERT})  # fmt: skip
def operations_not_logged(whole: Rehearsal) -> Iterator[None]:
    maintained = f"{shell_date(ago(days=9))}: Database maintenance completed\n"
    deployed = f"{shell_date(ago(hours=1))}: Deployed version 0.9.9\n"
    with holding(whole.layout.operations_log, maintained + deployed):
        yield


@fault("An entry of a deployment in the log of operations has no date.", {"operations-log[operations-log]": WARNING})
def operations_undated(whole: Rehearsal) -> Iterator[None]:
    with edited(whole.layout.operations_log, lambda text: f"yesterday: Deployed version 1.0.0\n{text}"):
        yield


@fault("The runbook was last reviewed months ago.", {**MODIFIED, "runbook-reviewed[runbook]": ALERT}, needs=without_git)
def runbook_not_reviewed(whole: Rehearsal) -> Iterator[None]:
    with edited(whole.layout.runbook, lambda text: re.sub(r"\d{4}年\d+月\d+日", "2025年8月15日", text, count=1)):
        yield


@fault(
    "A figure of the runbook is not the one that the checks enforce.",
    {**MODIFIED, "runbook-agrees[runbook]": ALERT},
    needs=without_git,
)
def runbook_disagrees(whole: Rehearsal) -> Iterator[None]:
    with edited(whole.layout.runbook, lambda text: text.replace("< 98%", "< 97%")):
        yield


@fault(
    "The runbook has people delete the build that is being served, and run a script that nobody has.",
    {**MODIFIED, "runbook-commands[runbook]": ALERT},
    needs=without_git,
)
def runbook_misleads(whole: Rehearsal) -> Iterator[None]:
    with appended(whole.layout.runbook, "\n```bash\nrm -rf frontend/.next\n./start-app.sh\n```\n"):
        yield
