"""What the tests of the export share: an exporter on a spool in memory, and answers."""

from collections.abc import Callable

from custom_components.ha_ingestor.clients.exchange import Failure
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.pipeline.clock import Clocks
from custom_components.ha_ingestor.pipeline.export.build import build_exporter
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.pause import Pause
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.spool.buffer import Buffer
from custom_components.ha_ingestor.pipeline.spool.quarantine.quarantine import Quarantine
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from custom_components.ha_ingestor.pipeline.spool.spool import Spool
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.scripted_writer import ScriptedWriter
from tests.pipeline.state_events import NOON

REJECTED = Outcome(status=422, body="field type conflict", from_database=True)
TOO_LARGE = Outcome(status=413, from_database=True)
UNAUTHORIZED = Outcome(status=401, from_database=True)
REFUSED = Outcome(failure=Failure.UNREACHABLE, detail="connection refused")


def points(count: int) -> list[str]:
    return [f"m,s={number} v={number} {number}000" for number in range(count)]


async def run_at_once[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return function(*args, **kwargs)


class Rig:
    """An exporter on a spool in memory."""

    def __init__(
        self,
        writer: ScriptedWriter,
        lines: list[str],
        settings: DeliverySettings = DeliverySettings(),  # noqa: B008  frozen
    ) -> None:
        self.now, self.monotonic = NOON, 1000.0
        self.files = MemoryFiles()
        self.spool = Spool(self.files, Ledger(), lambda: 0.0, lambda: NOON, SpoolSettings())
        self.spool.open()
        self.spool.append(list(lines))
        self.quarantine = Quarantine(self.files, "ha on db.lan")
        self.changes: list[Status] = []
        self.buffer = Buffer(self.spool, self.spool.ledger)
        self.exporter = build_exporter(
            buffer=self.buffer,
            quarantine=self.quarantine,
            writer=writer,
            pause=Pause(files=self.files),
            run=run_at_once,
            jitter=lambda: 1.0,
            on_change=lambda: self.changes.append(self.exporter.state.status),
            settings=settings,
            clocks=Clocks(monotonic=lambda: self.monotonic, wall=lambda: self.now),
        )

    @property
    def ledger(self) -> Ledger:
        return self.spool.ledger
