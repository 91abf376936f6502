"""Problems that have something in common."""

from typing import Final

from ..pipeline.export.verdict import Problem

# Nobody answers at the address, whichever database is meant to be there.
CONNECTION_PROBLEMS: Final = frozenset(
    {
        Problem.UNREACHABLE,
        Problem.TLS,
        Problem.TIMEOUT,
        Problem.REDIRECT,
    }
)
# What can only be mended in the address, although it may show as late as in the write test. The
# details of these may name hosts.
ADDRESS_PROBLEMS: Final = CONNECTION_PROBLEMS | {Problem.PROXY, Problem.NOT_A_DATABASE}
