"""What a check says about the facts it was given. Judging records what was seen, also when all is well: a green row
that shows its figure is proof, one that shows nothing is a claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opsverify.config.bands import Verdict, number, quantity
from opsverify.config.items import Item
from opsverify.errors import ProbeError


class PromiseBroken(AssertionError):
    """The system is not as its runbook promises; the message says observed, expected, and what to do."""


class NothingJudged(AssertionError):
    """A check ended without having judged anything: it could never have failed."""


@dataclass(frozen=True)
class Finding:
    """One judged fact: texts for people, and the figure (in `unit`) where it is one."""

    verdict: Verdict
    observed: str
    expected: str
    unit: str = ""
    value: float | None = None
    about: str = ""
    """What the figure is about, where a check judges several: "/var"."""

    @property
    def sentence(self) -> str:
        return f"observed {self.observed}, expected {self.expected}"


class Expect:
    """The `expect` of a check. Every call adds a finding; the worst of them decides the check.

    A failing expectation does not end the check: a person reads all that is wrong at once.
    """

    def __init__(self, item: Item) -> None:
        self.item = item
        self.findings: list[Finding] = []
        self._remembered: dict[str, float] = {}

    def __call__(self, value: float, about: str = "", *, detail: str = "") -> None:
        """Hold a figure against the item's band.

        `about` says what it is when there are several ("/var"), `detail` adds what explains it ("phases: …"). A
        figure that is no finite number could not be determined: ProbeError.
        """
        band = self.item.band
        if band is None:
            raise TypeError(f"{self.item.id} has no band in runbook.yaml: use expect.that")
        try:
            figure = number(value)
        except (TypeError, ValueError) as error:
            raise ProbeError(f"{about or self.item.id}: {error}") from None
        observed = " ".join(
            part for part in (about, quantity(figure, band.unit), f"({detail})" if detail else "") if part
        )
        self.findings.append(Finding(band.judge(figure), observed, str(band), band.unit, figure, about))

    def each(self, values: Mapping[str, float], *, of: str) -> None:
        """Hold several figures against the band; none at all (no file system, no process `of` …) is an error."""
        if not values:
            raise ProbeError(f"found no {of} to judge")
        for about, value in values.items():
            self(value, about)

    def that(self, condition: bool, *, observed: object, expected: object, otherwise: Verdict = Verdict.ALERT) -> bool:
        """Hold a yes/no fact: normal when `condition`, else `otherwise`. Returns the condition."""
        verdict = Verdict.NORMAL if condition else otherwise
        self.findings.append(Finding(verdict, str(observed), str(expected)))
        return bool(condition)

    def unknown(self, reason: ProbeError) -> None:
        """Raise the reason why something is not known, unless a finding is an alert: what is known counts more."""
        if not self.findings or self.worst.verdict is not Verdict.ALERT:
            raise reason

    def remember(self, about: str, value: float) -> None:
        """Keep a figure in the history without judging it: a row count that the next run is held against.

        It does not count as having judged anything. Raises ProbeError for what is no finite number.
        """
        try:
            self._remembered[about] = number(value)
        except (TypeError, ValueError) as error:
            raise ProbeError(f"{about}: {error}") from None

    @property
    def measurements(self) -> dict[str, float]:
        """Every figure by what it is about: those to remember, then those judged. Of equal names the last counts."""
        judged = {finding.about: finding.value for finding in self.findings if finding.value is not None}
        return {**self._remembered, **judged}

    @property
    def worst(self) -> Finding:
        """The finding that decides; of equals the most extreme figure, else the first (the last when all is well)."""
        if not self.findings:
            raise NothingJudged(f"{self.item.id} judged nothing")
        rank = max(finding.verdict.rank for finding in self.findings)
        candidates = [finding for finding in self.findings if finding.verdict.rank == rank]
        figures = [finding for finding in candidates if finding.value is not None]
        if not rank and not figures:
            return candidates[-1]  # checks go from "it is there" to what it is: the last tells most
        if not figures or (rank and len(figures) < len(candidates)):
            return candidates[0]
        small_is_good = hasattr(self.item.band, "below")
        return max(figures, key=lambda f: (f.value or 0.0) if small_is_good else -(f.value or 0.0))

    def sentences(self, verdict: Verdict) -> list[str]:
        """Every finding of that verdict as a sentence, the deciding one first."""
        chosen = [finding for finding in self.findings if finding.verdict is verdict]
        if chosen:
            chosen.sort(key=lambda finding: finding is not self.worst)
        return list(dict.fromkeys(finding.sentence for finding in chosen))

    def conclude(self) -> Finding:
        """The deciding finding; raises PromiseBroken when it is an alert and NothingJudged when there is none."""
        worst = self.worst
        if worst.verdict is Verdict.ALERT:
            raise PromiseBroken("; ".join(self.sentences(Verdict.ALERT)))
        return worst
