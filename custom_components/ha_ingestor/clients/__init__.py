"""Thin typed clients: one door to the network each, no retry, no Home Assistant."""
