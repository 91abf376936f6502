"""Lists and creates what a server has, as the databases' own administration does."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from custom_components.ha_ingestor.clients.influx.dialect import Dialect

from .dialects import Answer, compact, v2_error

_DATABASE: Final = re.compile(r'CREATE DATABASE "((?:\\.|[^"])*)"')
_POLICY: Final = re.compile(r'CREATE RETENTION POLICY "((?:\\.|[^"])*)"')
_FOR_EVER: Final = 0


@dataclass(slots=True, kw_only=True)
class Administration:
    """What was created, and whether credentials may list or create anything.

    `names` is the server's own table of what exists, per parameter of a write.
    """

    names: dict[str, set[str]]
    may_list: bool = True
    may_create: bool = True
    created: list[tuple[str, Any]] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    may_add_tasks: bool = True

    def answer(
        self, dialect: Dialect, path: str, query: Mapping[str, str], body: bytes
    ) -> Answer | None:
        """Answer a request of somebody who is known; None if it is none of these."""
        page = _PAGES.get((dialect, path))
        return page(self, query, body) if page else None

    def _v1(self, query: Mapping[str, str], _body: bytes) -> Answer | None:
        statement = query.get("q", "")
        if statement == "SHOW DATABASES":
            return _v1_rows(sorted(self.names["db"]) if self.may_list else [])
        if not statement.startswith("CREATE"):
            return None
        if not self.may_create:
            return Answer(status=403, body='{"error":"error authorizing query: not allowed"}')
        self.created.append(("query", statement))
        for pattern, names in ((_DATABASE, self.names["db"]), (_POLICY, self.names["rp"])):
            names.update(name.replace("\\", "") for name in pattern.findall(statement))
        return Answer(status=200, body='{"results":[{"statement_id":0}]}')

    def _orgs(self, query: Mapping[str, str], _body: bytes) -> Answer:
        names = sorted(self.names["org"]) if self.may_list else []
        rows = [{"id": f"{name}-id", "name": name} for name in names]
        return Answer(status=200, body=compact({"orgs": rows}))

    def _org(self, _query: Mapping[str, str], _body: bytes) -> Answer:
        return Answer(status=200, body=compact({"id": "home-id", "name": "home"}))

    def _buckets(self, query: Mapping[str, str], body: bytes) -> Answer | None:
        if "name" in query:
            return None
        if not body:
            names = sorted(self.names["bucket"]) if self.may_list else []
            rows = [
                {"id": name, "orgID": "home-id", "name": name, "type": "user", "retentionRules": []}
                for name in names
            ]
            rows.append({"id": "s", "name": "_tasks", "type": "system", "retentionRules": []})
            return Answer(status=200, body=compact({"buckets": rows}))
        wanted = json.loads(body)
        if not self.may_create:
            return v2_error("unauthorized", "write:orgs/x/buckets is unauthorized", 401)
        name = wanted["name"]
        if name in self.names["bucket"]:
            return v2_error("unprocessable entity", f"bucket with name {name} already exists", 422)
        if '"' in name:
            return v2_error("invalid", f"bucket name {name} is invalid", 400)
        self.names["bucket"].add(name)
        rules = wanted["retentionRules"]
        self.created.append((name, rules[0]["everySeconds"] if rules else _FOR_EVER))
        return Answer(status=201, body=compact({"id": "new", **wanted}))

    def _tasks(self, query: Mapping[str, str], body: bytes) -> Answer:
        if not body:
            found = [_task(each) for each in self.tasks if query["name"] in each]
            return Answer(status=200, body=compact({"tasks": found}))
        if not self.may_add_tasks:
            return v2_error("unauthorized", "write:orgs/x/tasks is unauthorized", 401)
        flux = json.loads(body)["flux"]
        self.tasks.append(flux)
        return Answer(status=201, body=compact(_task(flux)))

    def _v3(self, _query: Mapping[str, str], body: bytes) -> Answer:
        if not (self.may_create if body else self.may_list):
            return Answer(status=403)
        if not body:
            rows = [{"iox::database": name} for name in sorted({*self.names["db"], "_internal"})]
            return Answer(status=200, body=compact(rows))
        wanted = json.loads(body)
        if wanted["db"] in self.names["db"]:
            return Answer(status=409, body="attempted to create a resource that already exists")
        self.names["db"].add(wanted["db"])
        self.created.append((wanted["db"], wanted.get("retention_period", "")))
        return Answer(status=200)


type _Page = Callable[[Administration, Mapping[str, str], bytes], Answer | None]

_PAGES: Final[Mapping[tuple[Dialect, str], _Page]] = {
    (Dialect.V1, "/query"): Administration._v1,
    (Dialect.V2, "/api/v2/orgs"): Administration._orgs,
    (Dialect.V2, "/api/v2/orgs/home-id"): Administration._org,
    (Dialect.V2, "/api/v2/buckets"): Administration._buckets,
    (Dialect.V2, "/api/v2/tasks"): Administration._tasks,
    (Dialect.V3, "/api/v3/configure/database"): Administration._v3,
}


def _task(flux: str) -> dict[str, str]:
    return {"id": "1", "orgID": "home-id", "name": "a task", "flux": flux}


def _v1_rows(names: list[str]) -> Answer:
    values = {"values": [[name] for name in names]} if names else {}
    series = {"name": "databases", "columns": ["name"], **values}
    return Answer(status=200, body=compact({"results": [{"statement_id": 0, "series": [series]}]}))
