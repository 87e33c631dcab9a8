"""What is common to questions about a git checkout.

git only reads here: without optional locks, and also where the checkout belongs to somebody else (git 2.38 and newer
take that from the command line). It runs nothing that the checkout's own configuration names: functions/checkout.sh.
"""

from __future__ import annotations

import re

from opsverify.errors import MissingPrivilege, ProbeError
from opsverify.probes.host.files.listing import missing
from opsverify.probes.host.question import Answer, one_line

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""A commit's whole hash, SHA-1 or SHA-256."""


def no_checkout(title: str, path: str, answer: Answer) -> bool:
    """Whether the folder is not there; raises ProbeError where git could not be asked in it."""
    if missing(title, path, answer):
        return True
    refusal = answer.block("norepo")
    if refusal is None:
        return False
    reason = one_line(refusal.rest) or answer.complaint("git gave no reason")
    if "dubious ownership" in reason or "unsafe repository" in reason:
        raise MissingPrivilege(
            f"{title} could not be determined: git refuses a checkout that belongs to another user; ask as its owner, "
            f"or run `git config --global --add safe.directory {path}` as this account"
        )
    if answer.denied or "ermission denied" in reason:
        raise MissingPrivilege(f"{title} could not be determined: this account may not read {path}/.git")
    raise ProbeError(f"{title} could not be determined: {reason}")


__all__ = ["COMMIT", "no_checkout"]
