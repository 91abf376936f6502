"""The servers: as observed, InfluxDB 3 as in its source, the clouds as their maker tells."""

from dataclasses import replace
from functools import partial
from typing import Final

from custom_components.ha_ingestor.clients.influx.dialect import Dialect

from .dialects import (
    Answer,
    Profile,
    cloud_serverless_judge,
    cloud_tsm_judge,
    compact,
    v1_error,
    v1_judge,
    v2_error,
    v2_judge,
    v3_as_v1_judge,
    v3_as_v2_judge,
    v3_judge,
    vm_new_judge,
    vm_old_judge,
)
from .line_protocol import Grammar, parse
from .metrics import read_metrics


def _influx_headers(version: str) -> dict[str, str]:
    return {"X-Influxdb-Version": version, "X-Influxdb-Build": "OSS"}


def _json(**content: str) -> Answer:
    return Answer(status=200, body=compact(content), headers={"Content-Type": "application/json"})


_VM_FLAG: Final = 'flag{name="dedup.minScrapeInterval", value="0s", is_set="false"} 1\n'
_OK: Final = Answer(status=200, body="OK")
_VM_BAD_GZIP: Final = Answer(
    status=400,
    body='remoteAddr: "127.0.0.1:40000"; requestURI: /write; cannot read gzipped influx line '
    "protocol data: unexpected EOF\n",
)
# VictoriaMetrics has no 404.
_VM_NOT_FOUND: Final = Answer(
    status=400, body='remoteAddr: "127.0.0.1:40000"; requestURI: /; unsupported path requested: "/"'
)
_NOT_FOUND: Final = Answer(status=404, body="404 page not found\n")
_V1_13: Final = v1_judge(" for database: ha for retention policy: autogen", tells_stripped=True)
_SECOND: Final = 10**9
_UNITS: Final = {"": 1, "ns": 1, "us": 10**3, "ms": 10**6, "s": _SECOND}
_V1_UNITS: Final = {
    **dict.fromkeys(("", "n", "ns"), 1),
    "u": 10**3,
    "ms": 10**6,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
}
_VM_UNITS: Final = {"us": 10**3, **{unit: size for unit, size in _V1_UNITS.items() if unit}}
_V1_BODY_MAX: Final = 25_000_000
_V2_GRAMMAR: Final = Grammar(takes_unsigned=True, reserved_tags=("time", "_field", "_measurement"))
_V3_GRAMMAR: Final = Grammar(takes_unsigned=True, reserved_tags=("time",))
_CLOUD_BODY_MAX: Final = 50_000_000

V1_6: Final = Profile(
    dialect=Dialect.V1,
    version="1.6.7~rc0",
    ping=Answer(),
    health=_NOT_FOUND,
    writes={"/write": v1_judge("")},
    headers=_influx_headers("1.6.7~rc0"),
    units=_V1_UNITS,
    body_max=_V1_BODY_MAX,
    text_max=None,
)
V1_13: Final = Profile(
    dialect=Dialect.V1,
    version="1.13.2",
    ping=Answer(),
    health=_json(name="influxdb", status="pass", version="1.13.2"),
    writes={"/write": _V1_13, "/api/v2/write": _V1_13},
    headers=_influx_headers("1.13.2"),
    units=_V1_UNITS,
    bad_unit=v1_error("invalid precision (use n, u, ms, s, m or h)"),
    body_max=_V1_BODY_MAX,
)
V2_7: Final = Profile(
    dialect=Dialect.V2,
    version="2.7.12",
    ping=Answer(),
    health=_json(name="influxdb", status="pass", version="v2.7.12", commit="unknown"),
    writes={"/write": v2_judge, "/api/v2/write": v2_judge},
    # A damaged body looks like trouble of the server's own.
    bad_gzip=v2_error("internal error", "An internal error has occurred", 500),
    bad_checksum=v2_error("invalid", "unable to read data: gzip: invalid checksum", 400),
    headers=_influx_headers("v2.7.12"),
    read=partial(parse, grammar=_V2_GRAMMAR),
    units=_UNITS,
    bad_unit=v2_error(
        "invalid", "invalid precision; valid precision units are ns, us, ms, and s", 400
    ),
)
V3: Final = Profile(
    dialect=Dialect.V3,
    version="3.5.0",
    ping=Answer(
        status=200,
        body='{"version":"3.5.0","revision":"abc1234","process_id":"9f1b"}',
        headers={"Content-Type": "application/json", **_influx_headers("3.5.0")},
    ),
    health=_OK,
    locked=Answer(status=401),
    writes={
        "/api/v3/write_lp": v3_judge,
        "/write": v3_as_v1_judge,
        "/api/v2/write": v3_as_v2_judge,
    },
    read=partial(parse, grammar=_V3_GRAMMAR),
    body_max=10 * 1024 * 1024,
)
# Nothing is known of what a cloud says of itself, so these say nothing.
CLOUD_TSM: Final = Profile(
    dialect=Dialect.V2,
    version="",
    ping=Answer(),
    health=_NOT_FOUND,
    writes={"/api/v2/write": cloud_tsm_judge},
    read=partial(parse, grammar=_V2_GRAMMAR),
    units=_UNITS,
    body_max=_CLOUD_BODY_MAX,
)
CLOUD_SERVERLESS: Final = Profile(
    dialect=Dialect.V2,
    version="",
    ping=Answer(),
    health=_NOT_FOUND,
    writes={"/api/v2/write": cloud_serverless_judge},
    read=partial(parse, grammar=_V3_GRAMMAR),
    units=_UNITS,
    body_max=_CLOUD_BODY_MAX,
)
VM_OLD: Final = Profile(
    dialect=Dialect.VICTORIAMETRICS,
    version="1.79.5",
    ping=Answer(),
    health=_OK,
    writes={"/write": vm_old_judge, "/api/v2/write": vm_old_judge},
    headers={"X-Server-Hostname": "vm"},
    write_headers={"X-Influxdb-Version": "1.8.0"},
    read=read_metrics,
    units=_VM_UNITS,
    bad_gzip=_VM_BAD_GZIP,
    not_found=_VM_NOT_FOUND,
    metrics='vm_app_version{version="victoria-metrics-20220822", short_version="v1.79.5"} 1\n'
    + _VM_FLAG,
)
VM_NEW: Final = Profile(
    dialect=Dialect.VICTORIAMETRICS,
    version="1.150.0",
    ping=Answer(),
    health=_OK,
    writes={"/write": vm_new_judge, "/api/v2/write": vm_new_judge},
    headers={"X-Server-Hostname": "vm"},
    write_headers={"X-Influxdb-Version": "1.8.0"},
    read=read_metrics,
    units=_VM_UNITS,
    bad_gzip=_VM_BAD_GZIP,
    not_found=_VM_NOT_FOUND,
    metrics='vm_app_version{version="victoria-metrics-20261101", short_version="v1.150.0"} 1\n'
    + _VM_FLAG,
)
# A cluster: points are written below `/insert/<tenant>/influx`, all other pages are elsewhere.
_VM_NO_PATH: Final = Answer(
    status=400,
    body='unsupported path requested: "/insert/0/influx/ping"\n',
    headers={"Content-Type": "text/plain; charset=utf-8"},
)
VM_CLUSTER: Final = replace(
    VM_NEW,
    ping=_VM_NO_PATH,
    health=_json(name="influxdb", message="ready for queries and writes", status="pass"),
    has_metrics=False,
    not_found=_VM_NO_PATH,
)
# The same behind vmauth, which knows who writes to which tenant.
VM_AUTH: Final = replace(
    VM_CLUSTER,
    headers={"X-Server-Hostname": "vmauth"},
    locked=Answer(
        status=401,
        body="missing 'Authorization' request header\n",
        headers={"WWW-Authenticate": 'Basic realm="Restricted"'},
    ),
    not_found=Answer(
        status=400,
        body='user home missing route for "http://vmauth:8427/insert/1/influx/write"\n',
        headers={"Content-Type": "text/plain; charset=utf-8"},
    ),
)

NEWEST: Final = {profile.dialect: profile for profile in (V1_13, V2_7, V3, VM_NEW)}
