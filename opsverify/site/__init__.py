"""A small static site from the history: how well promises were kept, and a compliance report for each month.

`python -m opsverify.site --out DIR` reads the history, never a target. Every page is one file, without scripts, that
needs nothing else: it can be opened from a folder, mailed, or served by anything. What the figures mean is in
docs/trends.md; they are computed in `opsverify.history`.

    arguments     the command line, all mistakes at once
    about         what an environment's file says about it: its title, its calendar, its limits
    figures       an environment's history → what its pages show
    capacity      response times, and when disks and certificates run out
    monthly       an environment's history → the report of a month
    charts        the only importer of pygal, which is optional
    words         the pages' own words, in the languages of the operators
    spreadsheet   CSV that no spreadsheet program takes for formulas
    pages         writes it all, through the templates beside it
"""
