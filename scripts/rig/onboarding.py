"""The first user of a new Home Assistant, and a token that outlives restarts."""

from dataclasses import replace
from typing import Final

from .api import Api

NAME: Final = "Developer"
USERNAME: Final = "dev"
PASSWORD: Final = "dev-password"  # noqa: S105  printed for everybody to use, on loopback only

_DAYS: Final = 3650


def onboard(api: Api) -> str:
    """Create the user and return a long-lived access token."""
    client_id = f"{api.url}/"
    code = api.request(
        "POST",
        "/api/onboarding/users",
        {
            "client_id": client_id,
            "name": NAME,
            "username": USERNAME,
            "password": PASSWORD,
            "language": "en",
        },
    )["auth_code"]
    grant = {"grant_type": "authorization_code", "code": code, "client_id": client_id}
    access = api.request("POST", "/auth/token", grant, form=True)["access_token"]
    session = replace(api, token=access)
    return str(session.ws("auth/long_lived_access_token", client_name="rig", lifespan=_DAYS))
