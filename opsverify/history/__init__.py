"""What earlier runs found: in an SQLite file of the suite's own, or in a PostgreSQL database that a team shares.

    location   which database, from a URL; pure
    records    what is kept of a run; pure
    notices    the rows of what channels were told (opsverify.notify)
    tables     the tables, as SQLAlchemy Core sees them
    store      opens, migrates, writes, reads: everything that needs SQLAlchemy (and, rarely, Alembic)
    reading    what a check's `history` argument can be asked
    recording  writes a run when it has ended, and says loudly when that failed

Only `store`, `notices` and `tables` import SQLAlchemy, and only when a run ends or a check asks: a run's start does not
pay for it. A history that cannot be used never changes a verdict by itself.
"""
