"""Intake, encode, spool, export: the durable way of a point. Knows nothing of Home Assistant."""
