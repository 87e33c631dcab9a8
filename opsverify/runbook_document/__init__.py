"""The operators' own runbook, the document, read: its figures against those enforced, its commands against the system.

quantities  "＞ 3秒", "500ms 未満" → figures with units
reading     Markdown → chapters, table rows, lines of code and text
review      when the document says it was last updated
statements  reading → every figure that the document states
drift       statements against the items that checks enforce
figures     the other way round: the items as a document states them

blocks      Markdown → fences, and what of them is typed
shell       what is typed → commands, by tree-sitter's grammar of bash. It takes a line that it does not understand for
            that line only, is kept up, and has wheels for every platform; bashlex, last released in 2023, gives up a
            whole text at a `case`
named       commands → the paths, units and searches that they name
asking      the I/O: the document, then each host, in one round trip
system      what is known of the system then; nobody's answer is never taken for "not there"
rule, rules the mistakes, one entry each
lint        shellcheck's opinion
commands    all of it together
"""
