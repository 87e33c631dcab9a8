"""The mistakes that are looked for in an operators' document, by kind.

One entry each: a function with what it says. tests/runbook_document holds, for each, a document that it must find
something in, and one that it must not.
"""

from opsverify.runbook_document.rule import Rule, declared
from opsverify.runbook_document.rules import (  # noqa: F401 - importing a kind declares its rules
    blind,
    harmful,
    missing,
    silent,
    versions,
)

RULES = declared()

__all__ = ["RULES", "Rule"]
