"""Who may write where, and in which words each server says no."""

import json
import re
from collections.abc import Mapping
from typing import Final

from custom_components.ha_ingestor.pipeline.outcome import Dialect

from .dialects import Answer, v1_error, v2_error

UNAUTHORIZED: Final = {
    Dialect.V1: v1_error("authorization failed", 401),
    Dialect.V2: v2_error("unauthorized", "unauthorized access", 401),
    Dialect.V3: Answer(status=401),
    Dialect.VICTORIAMETRICS: Answer(
        status=401,
        body="\n",
        headers={"WWW-Authenticate": 'Basic realm="VictoriaMetrics"'},
    ),
}
FORBIDDEN: Final = {
    Dialect.V1: v1_error('"reader" user is not authorized to write to database "ha"', 403),
    Dialect.V2: v2_error("forbidden", "insufficient permissions for write", 403),
    Dialect.V3: Answer(status=403),
    Dialect.VICTORIAMETRICS: Answer(status=403),
}

_V3_NAME: Final = re.compile(r"[A-Za-z0-9][\w-]*")

# Before any of the lines is looked at, and with none at all.
EMPTY_WRITE_V3: Final = Answer(status=400, body="incoming write was empty")


def missing_name(
    dialect: Dialect, query: Mapping[str, str], names: Mapping[str, set[str]]
) -> Answer | None:
    """Refuse a name that does not exist; `names` holds those that do, per query parameter."""
    if dialect is Dialect.V1:
        if (database := query.get("db", "")) not in names["db"]:
            return v1_error(f"database not found: {json.dumps(database)}", 404)
        if query.get("rp", "autogen") not in names["rp"]:
            return v1_error(f"retention policy not found: {query['rp']}", 500)
    if dialect is Dialect.V2:
        if (org := query.get("org", "")) not in names["org"]:
            return v2_error("not found", f'organization name "{org}" not found', 404)
        if (bucket := query.get("bucket", "")) not in names["bucket"]:
            return v2_error("not found", f'bucket "{bucket}" not found', 404)
    if dialect is Dialect.V3 and not _V3_NAME.fullmatch(query.get("db", "")):
        return v1_error("db name did not start with a number or letter")
    return None
