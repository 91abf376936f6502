"""A database in a few lines: it stores what it accepts, and answers what it is told to."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.clients.influx.verdict import classify
from custom_components.ha_ingestor.pipeline.export.result import Result

OK = Outcome(status=204, from_database=True)
UNAVAILABLE = Outcome(status=503, from_database=True)


@dataclass(slots=True)
class ScriptedWriter:
    """Answers with `script` while it lasts, then judges each body by `judge`."""

    dialect: Dialect = Dialect.V2
    judge: Callable[[list[str]], Outcome] = lambda lines: OK
    script: list[Outcome | Exception] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    attempts: list[list[str]] = field(default_factory=list)
    gzipped: list[bool] = field(default_factory=list)
    retention_seconds: float | Exception | None = None
    asked: int = 0

    async def retention(self) -> float | None:
        self.asked += 1
        if isinstance(self.retention_seconds, Exception):
            raise self.retention_seconds
        return self.retention_seconds

    async def check(self) -> Result:
        return classify(self.judge([]), self.dialect)

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        lines = (zlib.decompress(body, wbits=31) if gzipped else body).decode().split("\n")
        self.attempts.append(lines)
        self.gzipped.append(gzipped)
        answer = self.script.pop(0) if self.script else self.judge(lines)
        if isinstance(answer, Exception):
            raise answer
        if answer.status == OK.status:
            self.stored += lines
        return classify(answer, self.dialect, body=body, gzipped=gzipped)
