"""Thin typed clients, over HTTP and WebSocket: no retry, no import of Home Assistant."""
