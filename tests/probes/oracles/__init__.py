"""What we re-implement of other programs' decisions, held against these very programs on generated input."""
