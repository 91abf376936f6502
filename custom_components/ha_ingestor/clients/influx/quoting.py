"""Quotes names and texts for the query languages of InfluxDB."""

import json


def influxql_name(name: str) -> str:
    """Quote the name of a database or a retention policy."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def flux_text(text: str) -> str:
    """Quote a text, with the escapes of JSON; `${` would begin an expression."""
    return json.dumps(text, ensure_ascii=False).replace("${", "\\${")
