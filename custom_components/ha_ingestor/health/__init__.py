"""Repair issues, and texts that are safe to show."""
