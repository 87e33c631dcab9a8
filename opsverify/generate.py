"""Documents that are generated from the models, so that they cannot drift: `python -m opsverify.generate`.

`environments/schema.json` lets editors complete and check environment files; `opsverify/reporting/run.schema.json` says
what `--json` writes; `docs/reference/` is the reference of options, environment files and checks;
`docs/operations-runbook.*.md` have the figures that are enforced.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opsverify import privileges
from opsverify.config.environment import Environment
from opsverify.config.items import Item
from opsverify.reporting import run_document
from opsverify.runbook_document.figures import with_figures

_FIGURE_KEYS = ("type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def schema() -> str:
    """The JSON Schema of environment files. Secrets are plain strings there: `${VAR}` before it is filled in."""
    body: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Environment.model_json_schema(mode="validation"),
        "title": "An environment of the operational verification suite",
    }
    _allow_variables(body)
    return json.dumps(body, indent=2, ensure_ascii=False, sort_keys=False) + "\n"


def run_schema() -> str:
    """The JSON Schema of what `--json` writes."""
    return json.dumps(run_document.schema(), indent=2, ensure_ascii=False) + "\n"


def _allow_variables(node: Any) -> None:
    """A pattern must let `${VAR}` pass in an editor: the file is checked there before variables are filled in."""
    if isinstance(node, dict):
        if node.get("type") == "string" and isinstance(node.get("pattern"), str):
            node["pattern"] = rf"({node['pattern']})|\$\{{"
        if node.get("format") == "password":
            node.pop("format")
            node.pop("writeOnly", None)
        if node.get("format") == "date-time":
            node.pop("format")
        if node.get("type") in ("integer", "number"):
            figure = {key: node.pop(key) for key in list(node) if key in _FIGURE_KEYS}
            node["anyOf"] = [figure, {"type": "string", "pattern": r"^\$\{"}]
        else:
            for value in node.values():
                _allow_variables(value)
    elif isinstance(node, list):
        for value in node:
            _allow_variables(value)


def main(root: Path) -> None:
    """Write all generated documents of the project in `root`."""
    from opsverify.config.loading import load_items

    items = load_items(root / "checks" / "runbook.yaml")
    (root / "environments" / "schema.json").write_text(schema(), encoding="utf-8")
    (root / "opsverify" / "reporting" / "run.schema.json").write_text(run_schema(), encoding="utf-8")
    docs = root / "docs"
    if docs.exists():
        for name, text in documents(root, items).items():
            (docs / name).parent.mkdir(parents=True, exist_ok=True)
            (docs / name).write_text(text, encoding="utf-8")


def documents(root: Path, items: Mapping[str, Item]) -> dict[str, str]:
    """What is generated below docs/, by file."""
    from opsverify.reference import catalogue, keys, options, runbook_findings
    from opsverify.reference.uses import uses
    from opsverify.runbook_document.rules import RULES
    from rehearsal.faults import FAULTS, document

    used = uses(root / "checks")
    turning = {
        item: [catalogue.Fault(one.name, one.title) for one in FAULTS.values() if document.turns(one, item)]
        for item in items
    }
    privileges_page = (root / "docs" / "privileges.md").read_text(encoding="utf-8")
    runbook_page = (root / "docs" / "how-to" / "runbook.md").read_text(encoding="utf-8")
    runbooks = {language: root / "docs" / f"operations-runbook.{language}.md" for language in ("en", "ja")}
    return {
        "faults.md": document.document(items),
        "privileges.md": privileges.with_table(privileges_page),
        "reference/options.md": options.document(),
        "how-to/runbook.md": runbook_findings.with_table(runbook_page, RULES),
        "reference/environment.md": keys.document(used),
        "reference/checks.md": catalogue.document(items, used, turning, "en"),
        "ja/reference/checks.md": catalogue.document(items, used, turning, "ja"),
        **{
            path.name: with_figures(path.read_text(encoding="utf-8"), items, language)
            for language, path in runbooks.items()
        },
    }


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
