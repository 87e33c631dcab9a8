"""Documents behind an address."""
