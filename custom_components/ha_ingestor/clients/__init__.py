"""Thin typed HTTP clients: no retry, no import of Home Assistant."""
