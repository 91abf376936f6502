"""What is stored of a remote home: how it is reached, what it is called, what is captured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_NAME, CONF_TOKEN, CONF_URL, CONF_VERIFY_SSL

from ...const import CONF_CA_CERTIFICATE
from ...options.remote import ATTEMPTS, ATTEMPTS_DEFAULT, CONF_ATTEMPTS


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """How a remote home is reached; equal ones use the same connection.

    `attempts` is after how many failures in a row nothing more is tried, 0 for never.
    """

    url: str
    token: str
    instance: str
    verify_ssl: bool
    ca_certificate: str
    attempts: int

    @classmethod
    def of(cls, subentry: ConfigSubentry) -> RemoteSettings:
        """Read a subentry."""
        data: Mapping[str, Any] = subentry.data
        return cls(
            url=data[CONF_URL],
            token=data[CONF_TOKEN],
            instance=data[CONF_NAME],
            verify_ssl=data.get(CONF_VERIFY_SSL, True),
            ca_certificate=data.get(CONF_CA_CERTIFICATE, ""),
            attempts=ATTEMPTS.bounded(data.get(CONF_ATTEMPTS), ATTEMPTS_DEFAULT),
        )
