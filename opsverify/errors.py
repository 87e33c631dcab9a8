"""What can go wrong, kept apart because a person does something different about each.

    OpsverifyError
    ├── ConfigurationError     the suite is misconfigured; nothing was contacted (exit code 4)
    └── ProbeError             something could not be determined; never a pass
        ├── Unreachable        the target itself does not answer: the one cause behind many blocked checks
        │   └── Unanswered     it took the question, and no usable answer came: for some promises that is the answer
        ├── MissingPrivilege   it answers, but not to us; the message names the privilege
        └── NotApplicable      the environment says that this does not exist here (a skip, with its reason)

A *wrong* system is none of these: that is a failed expectation (`opsverify.judgements.expect.PromiseBroken`).
Messages reach reports, so they must never hold a secret; raise them `from None` when the driver's own
exception might.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class OpsverifyError(Exception):
    """Root of everything that this suite raises on purpose."""


class ConfigurationError(OpsverifyError):
    """The suite's own files or options are wrong.

    Holds every mistake found, one line each, as ``file: key.path: found …, allowed …``.
    """

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


@dataclass(frozen=True)
class Cause:
    """Why a whole group of questions has no answer. Equal causes are one finding in a report, with a count."""

    target: str
    message: str


class ProbeError(OpsverifyError):
    """A fact could not be determined; the message says which and why, in one sentence.

    `cause` is set when it is not this one fact but everything asked of a target that failed.
    """

    cause: Cause | None = None


class Unreachable(ProbeError):
    """The target refused the connection, was not found, or did not answer before the deadline."""


class Unanswered(Unreachable):
    """The target took the question, and gave no usable answer: none before the deadline, or a broken one.

    `waited_seconds`: how long an answer was waited for; None where something came, and was no use.
    """

    waited_seconds: float | None = None


class MissingPrivilege(ProbeError):
    """The target answered, but the account used may not see this; the message names what to grant."""


class NotApplicable(ProbeError):
    """This does not exist in this environment, by the environment's own word."""
