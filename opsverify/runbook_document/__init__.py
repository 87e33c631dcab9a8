"""The operators' own runbook, the document, read: what figures it states, and whether they are the ones enforced.

quantities  "＞ 3秒", "500ms 未満" → figures with units
reading     Markdown → chapters, table rows, lines of code and text
review      when the document says it was last updated
statements  reading → every figure that the document states
drift       statements against the items that checks enforce
"""
