"""What can only be wrong with a data-api."""

from typing import Final

from ...pipeline.export.result import Problem

# Somebody else answers at the address. The value is the one for databases: it is shown as an
# attribute, which automations may read.
NOT_A_DATA_API: Final = Problem.NOT_A_DATABASE
