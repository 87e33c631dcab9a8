"""Exit codes."""

AGREES = 0
"""The file was written, or nothing differs from it."""
DIFFERS = 1
"""It differs, and was left as it is, or a part of it could not be changed."""
MISTAKES = 2
"""Mistakes of arguments, or the file is no environment file; nothing was looked at, or compared."""
LOST = 3
"""A source could not be looked at, or the file not be written. What else was found is written or told all the same."""
