"""What came of reaching for a target, for the checks whose promise is that it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opsverify.errors import ProbeError, Unreachable


@dataclass(frozen=True)
class Attempt:
    """The outcome of reaching for something: a fact, or the error that says why there is none."""

    fact: Any = None
    error: ProbeError | None = None

    @property
    def failure(self) -> str:
        """Why the target did not answer, in one sentence; empty where it did.

        Raises the error where that says nothing of whether the target answers: a refused login, a mistake of ours.
        """
        if self.error is not None and not isinstance(self.error, Unreachable):
            raise self.error
        return "" if self.error is None else str(self.error)
