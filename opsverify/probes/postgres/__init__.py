"""What a PostgreSQL server says about itself, over one connection and one read-only transaction.

transport  the session, with its deadline · refusals  what is sent and what comes back · tables  names looked up
probe      all questions to one database · each other module  one question: its SQL, how it is read, the fact

PostgreSQL 10 and newer are understood, so that a server too old for the promise can still be told so. Importing a
question is cheap: psycopg is loaded when the probe runs.
"""
