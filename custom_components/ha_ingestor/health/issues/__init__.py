"""Repair issues: what the user can act on is told, and forgotten when it is over."""
