"""The client library of InfluxDB 2, which is imported when it is first needed: that takes long."""

from importlib import import_module
from typing import Any


def load_library() -> Any:
    """Import the library, in a thread, and return it; the library has no types of its own.

    All of it at once: of two threads that begin with different parts each waits for the other,
    which Python ends with an error, and with a library that is broken until the next start.
    """
    found = import_module("influxdb_client")
    import_module("influxdb_client.rest")
    return found
