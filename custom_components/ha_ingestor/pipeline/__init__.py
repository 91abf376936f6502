"""Intake, filter, encode, spool, export. No import of Home Assistant."""
