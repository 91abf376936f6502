"""How long a database that is created keeps points."""

from typing import Final

import voluptuous as vol

from .number import Number

CONF_RETENTION_DAYS: Final = "retention_days"
RETENTION_DEFAULT: Final = 365
# A hundred years; more is for ever.
RETENTION_MAX: Final = 36_500

RETENTION_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_RETENTION_DAYS, default=RETENTION_DEFAULT): Number(
            0, RETENTION_MAX, step=1, unit="d"
        )
    }
)
