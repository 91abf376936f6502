"""How far a spool is, for the quarantine, whose records are brought back to it."""

from typing import NamedTuple


class Appended(NamedTuple):
    """`last_seq` is the newest number in the files.

    Of the points up to `counted`, so many were `replayed` out of the quarantine, by the ledger.
    """

    last_seq: int
    counted: int
    replayed: int
