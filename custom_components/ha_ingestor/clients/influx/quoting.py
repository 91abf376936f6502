"""Quotes names and texts for the query languages of InfluxDB."""


def influxql_name(name: str) -> str:
    """Quote the name of a database or a retention policy."""
    return f'"{_escaped(name)}"'


def flux_text(text: str) -> str:
    """Quote a text, in which `${` would begin an expression."""
    escaped = _escaped(text).replace("${", "\\${")
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
