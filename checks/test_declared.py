"""Checks without a function: their item in runbook.yaml says which figure of which fact its band judges (`judge`)."""

from pathlib import Path

from opsverify.plugin.declared import functions

globals().update(functions(Path(__file__).with_name("runbook.yaml")))
