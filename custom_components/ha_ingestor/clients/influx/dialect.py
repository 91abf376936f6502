"""The kinds of databases that take line protocol over HTTP."""

from enum import StrEnum


class Dialect(StrEnum):
    """The four families of servers that accept line protocol over HTTP."""

    V1 = "v1"
    V2 = "v2"
    V3 = "v3"
    VICTORIAMETRICS = "victoriametrics"
