"""The host itself: its resources, processes, accounts, and what keeps running on it."""
