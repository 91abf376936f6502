"""The client of another Home Assistant."""
