"""What shellcheck says of a document is told of the document's own lines, and nothing of what is no mistake."""

from __future__ import annotations

import pytest

from opsverify.evidence.deadline import Deadline
from opsverify.runbook_document import lint as module
from opsverify.runbook_document.lint import installed, lint

DOCUMENT = """\
# 手順

```bash
cd backend
echo $1 $ファイル
for file in $(ls); do rm $file; done
psql <database>
```

```bash
#!/bin/sh
set -eu
if [ "$1" = x ] || [ x = x ]; then echo "日本語" > /dev/null 2&>1; fi
case $1 in
```

```bash
wal_level = replica
secrets/
if [ -n "$X" ]; then
```

```yaml
rm $(ls)
```
"""


def test_remarks_are_of_the_documents_own_lines():
    if installed() is None:
        pytest.skip("shellcheck is not installed")
    remarks = lint(DOCUMENT, Deadline(60))
    lines = DOCUMENT.split("\n")
    assert (6, 2045) in [(remark.line, remark.code) for remark in remarks]
    assert {remark.line for remark in remarks} <= {6, *range(11, 16)}
    assert any(remark.line >= 11 for remark in remarks)
    assert all(remark.quote == lines[remark.line - 1].strip() for remark in remarks)


def test_without_shellcheck_there_is_no_remark(monkeypatch):
    monkeypatch.setattr(module, "installed", lambda: None)
    assert lint(DOCUMENT, Deadline(60)) == ()


@pytest.mark.parametrize("script", ["exit 3", "echo no json", "echo '{}'", "sleep 60"])
def test_a_shellcheck_that_says_nothing_usable_has_no_opinion(tmp_path, monkeypatch, script):
    program = tmp_path / "shellcheck"
    program.write_text(f"#!/bin/sh\nexec {script}\n" if script.startswith("sleep") else f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(module, "installed", lambda: str(program))
    assert lint(DOCUMENT, Deadline(0.5)) == ()
