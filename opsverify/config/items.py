"""The runbook as data: `checks/runbook.yaml` read into items. An item is one promise that a check proves or refutes."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from opsverify.config.bands import AtLeast, AtMost, Band

ItemId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
Schedule = Literal["smoke", "daily", "weekly", "monthly", "drill", "stopped"]

SCHEDULES: dict[str, str] = {
    "smoke": "right after a deployment, in seconds; gates CI",
    "daily": "the nightly compliance run",
    "weekly": "the weekly maintenance run",
    "monthly": "the monthly review run",
    "drill": "does something on scratch resources: a restore, a test alert",
    "stopped": "the system is meant to be down",
}

CHAPTERS: dict[str, str] = {
    "DEP": "デプロイメント手順",
    "BG": "Blue-Green デプロイメント",
    "MON": "システム監視項目",
    "AUTO": "自動ヘルスチェック",
    "LOG": "ログ監視",
    "WEEK": "定期メンテナンス（週次）",
    "STOP": "システム停止手順",
    "REC": "システム復旧手順",
    "BAK": "バックアップ戦略",
    "RST": "復旧手順",
    "SECD": "セキュリティ 日次チェック",
    "SECW": "セキュリティ 週次チェック",
    "SECM": "セキュリティ 月次チェック",
    "VUL": "脆弱性対応",
    "PERF": "パフォーマンス監視",
    "INC": "障害対応",
    "DOC": "運用ドキュメント管理",
}
"""The chapters of the operations runbook, by the short name that items give as their source."""


def _chapter(name: str) -> str:
    if name not in CHAPTERS:
        raise ValueError(f"one of {', '.join(CHAPTERS)}")
    return name


Chapter = Annotated[str, AfterValidator(_chapter)]


class Severity(str, Enum):
    """The runbook's priorities (chapter 障害対応): how soon somebody must respond."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Text(BaseModel):
    """A sentence in both languages of the operators."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: Annotated[str, StringConstraints(min_length=3)]
    ja: Annotated[str, StringConstraints(min_length=2)]

    def in_language(self, language: str) -> str:
        """The sentence in "en" or "ja"."""
        return self.ja if language == "ja" else self.en


class Figure(BaseModel):
    """A figure of a fact that an item's band judges, so that the check needs no function of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fact: str = Field(description="A fact of one kind of target; `pytest --fixtures checks` lists them.")
    figure: str = Field(description="Its attribute that is judged, a number in the band's unit.")
    each: str = Field("", description="Where the fact is several: the attribute that names each of them.")
    detail: str = Field("", description="The attribute that explains the figure to people.")


class Item(BaseModel):
    """One promise of the runbook."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: ItemId
    title: Text
    action: Text = Field(description="What to do when it fails.")
    source: Annotated[tuple[Chapter, ...], Field(min_length=1)]
    schedule: Annotated[tuple[Schedule, ...], Field(min_length=1)]
    severity: Severity
    band: Band | None = None
    judge: Figure | None = Field(None, description="What the band judges, where no function in checks/ does.")
    settings: dict[str, Any] = Field(default_factory=dict)
    beyond_runbook: bool = Field(False, description="Not in the runbook, but who relies on it needs it.")

    @property
    def function_name(self) -> str:
        """Of the check that `judge` declares: `test_key_exhaustion` for the item `key-exhaustion`."""
        return f"test_{self.id.replace('-', '_')}"

    @model_validator(mode="after")
    def _a_figure_has_a_band(self) -> Item:
        if self.judge is not None and self.band is None:
            raise ValueError("judge needs a band to judge the figure by")
        return self

    def overridden(self, override: Any) -> Item:
        """This item as an environment wants it: limits, severity and settings replaced where `override` has them.

        Raises ValueError naming the first thing that does not fit (an inverted band, a limit of the wrong kind, an
        unknown setting).
        """
        changes: dict[str, Any] = {}
        if override.severity is not None:
            changes["severity"] = override.severity
        if override.band is not None:
            changes["band"] = self._band(override.band.model_dump(exclude_none=True))
        for key, value in override.settings.items():
            if key not in self.settings:
                names = ", ".join(sorted(self.settings)) or "none"
                raise ValueError(f"settings.{key}: found an unknown setting, allowed {names}")
            default = self.settings[key]
            if default is not None and not _same_shape(default, value):
                raise ValueError(f"settings.{key}: found {value!r}, allowed a value like {default!r}")
        if override.settings:
            changes["settings"] = {**self.settings, **override.settings}
        return self.model_copy(update=changes)

    def _band(self, limits: dict[str, float]) -> Band:
        if self.band is None:
            raise ValueError("band: found limits, allowed none: this check answers yes or no")
        allowed = [name for name in type(self.band).model_fields if name != "unit"]
        for name in limits:
            if name not in allowed:
                raise ValueError(f"band.{name}: found this limit, allowed {' and '.join(allowed)}")
        try:
            return type(self.band)(**{**self.band.model_dump(), **limits})
        except ValueError as error:
            detail = error.errors()[0]["msg"] if hasattr(error, "errors") else str(error)
            raise ValueError(f"band: {detail.removeprefix('Value error, ')}") from None


def _same_shape(default: Any, value: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, (int, float)):
        return isinstance(value, (int, float))
    return isinstance(value, type(default))


__all__ = ["CHAPTERS", "SCHEDULES", "AtLeast", "AtMost", "Item", "ItemId", "Severity", "Text"]
