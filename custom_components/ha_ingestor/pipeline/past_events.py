"""Events and points of the past, which nobody captured while they happened."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .commit_jobs import CommitJobs
from .commit_times import CommitTimes
from .committer import Committer
from .encode.encoder import Encoder, Profile
from .export.exporter import Exporter
from .filter.filters import NoiseFilter
from .filter.recovered import RecoveredFilter
from .ledger import Ledger
from .model import IntakeContent, OwnPoint, StateEvent
from .past import Past
from .snapshot import Backfill, Recovery
from .spool.captured_until import CapturedUntil
from .spool.storage import Storage
from .spool_thread import SpoolThread


@dataclass(slots=True, kw_only=True)
class PastEvents:
    """What the sources of the past use of a pipeline.

    They say in `recovery` and `backfill` what they are doing.
    """

    ledger: Ledger
    noise_filter: NoiseFilter
    profile: Profile
    storage: Storage
    committer: Committer
    commits: CommitJobs
    exporter: Exporter
    thread: SpoolThread
    times: CommitTimes
    recovery: Recovery = field(default_factory=Recovery)
    backfill: Backfill = field(default_factory=Backfill)

    @property
    def spool_fill(self) -> float:
        """How much of the room for the spool is used, from 0 to 1."""
        return self.storage.fill

    @property
    def captured_until(self) -> CapturedUntil:
        """Up to when this home was captured."""
        return self.storage.captured_until

    async def load_captured_until(self) -> float | None:
        """Return up to when an earlier process captured this home; None if that is not known."""
        return await self.thread.run(self.committer.load_captured_until)

    def remembers(self, entity_id: str) -> bool:
        """Whether it is known what an earlier process wrote last, and nothing has followed it."""
        return self.noise_filter.last_written.before_gap(entity_id) is not None

    def begin(self, *, is_gap: bool, is_elsewhere: bool = False) -> Past:
        """Begin a span of the past, whose events come in their order.

        In a gap nothing was captured so far.
        """
        return Past(
            recovered_filter=RecoveredFilter(
                ledger=self.ledger,
                settings=self.noise_filter.settings,
                last_written=self.noise_filter.last_written if is_gap else None,
            ),
            encoder=Encoder(profile=self.profile),
            is_elsewhere=is_elsewhere,
        )

    async def store(
        self, past: Past, items: Sequence[StateEvent | OwnPoint], filtered: Counter[str]
    ) -> int:
        """Store what is of the past, which was counted by nobody; return how many points it gives.

        `filtered` are those that the source left out. Raises OSError when the disk takes nothing,
        or the pipeline has stopped.
        """
        await self.commits.make_ready_for_more()
        received = len(items) + filtered.total()
        taken = IntakeContent(
            items=list(items),
            received=received,
            received_elsewhere=received if past.is_elsewhere else 0,
            filtered=filtered,
        )
        points = await self.thread.run(self._commit, past, taken)
        buffer = self.storage.buffer
        if self.exporter.needs_notify(buffer.deliverable):
            self.exporter.notify()
        return points

    def _commit(self, past: Past, taken: IntakeContent) -> int:
        points = self.committer.commit_recovered(past, taken)
        self.times.count(taken, points)
        return points

    async def sync(self) -> None:
        """Put what was stored on the disk: who notes how far that is must not be ahead."""
        await self.thread.run(self.storage.buffer.sync)

    async def commit(self) -> bool:
        """Store what is captured now; returns whether it is stored."""
        return await self.commits.commit()
