"""What earlier runs found: in an SQLite file of the suite's own, or in a PostgreSQL database that a team shares.

    location   which database, from a URL; pure
    records    what is kept of a run; pure
    notices    the rows of what channels were told (opsverify.notify)
    tables     the tables, as SQLAlchemy Core sees them
    changes    what is new, worse, known or recovered, from how a check ended before; pure
    standings  how each check ended before: one row per check, lengthened by each run
    store      opens, migrates, writes, reads: everything that needs SQLAlchemy (and, rarely, Alembic)
    reading    what a check's `history` argument can be asked
    comparing  tells the reports what is new, read once when the checks have ended
    recording  writes a run when it has ended, and says loudly when that failed
    availability  for how much of the time promises were kept; repairs: how long failures lasted; compliance: what a
                  month's schedule asked for, and got; pure

Only `store`, `standings`, `notices` and `tables` import SQLAlchemy, and only when a run ends or a check asks: a run's
start does not pay for it. A history that cannot be used never changes a verdict by itself.
"""
