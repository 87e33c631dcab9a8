"""The HTML report: one file that needs no network, for whoever is called at night.

pytest-html writes the file and gathers what checks printed. What it shows is ours, since its table of thousands of rows
takes seconds to open and again with every click, and cannot be worked by keyboard:

plugin    the hooks of pytest-html
page      what is on the page, from top to bottom
lines     one line per finding, and per row of all checks
details   what a line unfolds to
drawings  figures inside their bands, and the last runs
elements  tables, code, names of places in the page; budget: how much of the details fits
report.js filters in the address, copying, unfolding; `../tokens.css` has the colours, also those of `opsverify.site`
"""

from opsverify.reporting.html.elements import table
from opsverify.reporting.html.plugin import Html

__all__ = ["Html", "table"]
