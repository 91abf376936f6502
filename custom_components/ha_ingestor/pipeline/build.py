"""Builds the pipeline of one destination out of its parts."""

import json
import random
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from types import MappingProxyType

from .change_listener import ChangeListener
from .clock import Clocks
from .commit_jobs import CommitJobs
from .commit_times import CommitTimes
from .committer import Committer
from .encode.attributes import JsonDumps
from .encode.encoder import Encoder, Profile
from .entity_reports import EntityReports
from .export.build import build_exporter
from .export.end_to_end import EndToEnd
from .export.measured_writer import MeasuredWriter
from .export.pause import Pause
from .export.settings import DeliverySettings
from .export.writer import Writer
from .files import Files
from .filter.filters import NoiseFilter, NoiseFilterSettings
from .filter.intake import Intake
from .filter.last_written import LastWritten
from .handover import Handover
from .health import Health
from .ledger import Ledger
from .model import EntityContext
from .past_events import PastEvents
from .pipeline import Pipeline
from .quarantine_jobs import QuarantineJobs
from .rate import Rates
from .spool.settings import SpoolSettings
from .spool.storage import build_storage
from .spool_thread import SpoolThread


def build_pipeline(
    *,
    profile: Profile,
    files: Files,
    writer: Writer,
    settings: SpoolSettings,
    destination: str = "",
    delivery: DeliverySettings = DeliverySettings(),  # noqa: B008  frozen
    noise_filter: NoiseFilterSettings = NoiseFilterSettings(),  # noqa: B008  frozen
    contexts: Mapping[str, EntityContext] = MappingProxyType({}),
    dumps: JsonDumps = json.dumps,
    resume: Handover | None = None,
    clocks: Clocks = Clocks(),  # noqa: B008  frozen
    jitter: Callable[[], float] = random.random,
    executor: Executor | None = None,
) -> Pipeline:
    """Put the parts together, in the order of the data; health and past use all of them.

    `resume` is what the pipeline before this one left in memory. Tests inject the rest.
    """
    intake = resume.intake if resume else Intake()
    ledger = resume.ledger if resume else Ledger()
    changes, thread = ChangeListener(), SpoolThread(executor)
    storage = build_storage(
        files,
        ledger,
        clocks,
        settings,
        destination=destination,
        position=resume.position if resume else None,
        held=resume.held if resume else None,
    )
    spool, buffer, quarantine = storage.spool, storage.buffer, storage.quarantine
    last_written = LastWritten(ledger=ledger, dumps=dumps, profile=profile, contexts=contexts)
    filter_ = NoiseFilter(
        ledger=ledger,
        settings=noise_filter,
        last_written=last_written,
        clock=clocks.monotonic,
        wall_clock=clocks.wall,
        contexts=contexts,
    )
    if resume:
        filter_.resume(resume.noise_filter)
    encoder = Encoder(profile=profile)
    committer = Committer(
        ledger=ledger,
        files=storage.files,
        noise_filter=filter_,
        encoder=encoder,
        buffer=buffer,
        captured_until=storage.captured_until,
    )
    rates = resume.rates if resume else Rates.begin(clocks.monotonic)
    times = CommitTimes(buffer=buffer, spool=spool, clock=clocks.monotonic, rates=rates)
    measured = MeasuredWriter(writer=writer)
    end_to_end = EndToEnd(
        clock=clocks.monotonic,
        captured_at=times.captured_at,
        written=rates.written,
    )
    is_paused = resume.is_paused if resume else None
    pause = Pause(files=storage.files, is_on=is_paused is True, is_known=is_paused is not None)
    exporter = build_exporter(
        buffer=buffer,
        quarantine=quarantine,
        writer=measured,
        end_to_end=end_to_end,
        pause=pause,
        run=thread.run,
        jitter=jitter,
        on_change=changes,
        numbers_only=profile.numbers_only,
        settings=delivery,
        clocks=clocks,
    )
    commits = CommitJobs(
        intake=intake,
        committer=committer,
        buffer=buffer,
        exporter=exporter,
        times=times,
        thread=thread,
        clock=clocks.monotonic,
        on_change=changes,
    )
    health = Health(
        intake=intake,
        schedule=commits.schedule,
        noise_filter=filter_,
        ledger=ledger,
        storage=storage,
        exporter=exporter,
        writer=measured,
        times=times,
        end_to_end=end_to_end,
        clock=clocks.monotonic,
        began=clocks.monotonic(),
    )
    return Pipeline(
        intake=intake,
        ledger=ledger,
        past_events=PastEvents(
            ledger=ledger,
            noise_filter=filter_,
            profile=profile,
            storage=storage,
            committer=committer,
            commits=commits,
            exporter=exporter,
            thread=thread,
            times=times,
        ),
        quarantine=QuarantineJobs(
            quarantine=quarantine, buffer=buffer, exporter=exporter, thread=thread
        ),
        reports=EntityReports(
            encoder=encoder, last_written=last_written, health=health, thread=thread
        ),
        noise_filter=filter_,
        encoder=encoder,
        spool=spool,
        committer=committer,
        commits=commits,
        pause=pause,
        exporter=exporter,
        health=health,
        thread=thread,
        changes=changes,
        resumed=resume,
    )
