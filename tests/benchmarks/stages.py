"""What each stage costs a point, beside the least that anything doing it would cost.

Everything runs here, with a real Home Assistant object, real files and, where there is one, a real
database. The processor time of one thread is counted. On a busy machine the median holds what
neighbours on the same core take, and the best round hardly does.
"""

import asyncio
import gc
import os
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any, Final

import aiohttp
from homeassistant.config_entries import ConfigEntries, ConfigEntry
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import category_registry as cr
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr
from homeassistant.helpers.json import json_dumps

from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.enrich.catalog import Catalog
from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder, Profile
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem, Result
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.model import StateEvent
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.spool.packing import FRAME_POINTS
from custom_components.ha_ingestor.pipeline.spool.segments.frame import Compressor, pack
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from custom_components.ha_ingestor.pipeline.spool.spool import Spool
from custom_components.ha_ingestor.sources.local import LocalSource
from scripts.rig.destination import address_of
from scripts.rig.servers import Server
from tests.pipeline.encode.profiles.built_in import converter, line_v2

from .bench_load.workload import furnish, next_state
from .table import Row, at_most

# The whole is measured over more points, so that its beginning and its end weigh little.
_REPEATS: Final = 10
_PATIENCE_SECONDS: Final = 60.0
_ROUNDS: Final = 15
_BATCH_POINTS: Final = 5000
_BATCH_BYTES: Final = 1024 * 1024

CALLBACK_US: Final = 5.0
PIPELINE_US: Final = 10.0
PROFILE_US: Final = 6.0
_US: Final = "{:.2f} µs"


class Nowhere:
    """A database that takes everything, at no cost."""

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        return Result(kind=Kind.ACCEPTED, problem=Problem.NONE)

    async def retention(self) -> float | None:
        return None

    async def check(self) -> Result:
        return Result(kind=Kind.ACCEPTED, problem=Problem.NONE)


def profile(*, numbers_only: bool = False) -> HomeIQ:
    """Encode as the integration does by default, or as it does for VictoriaMetrics."""
    return HomeIQ(dumps=json_dumps, location="Bench", numbers_only=numbers_only)


def new_pipeline(
    directory: Path, writer: InfluxClient | Nowhere | None = None, *, numbers_only: bool = False
) -> Pipeline:
    """Put the whole thing together."""
    return build_pipeline(
        profile=profile(numbers_only=numbers_only),
        files=OsFiles(directory),
        writer=writer or Nowhere(),
        settings=SpoolSettings(),
        delivery=DeliverySettings(gzip=False),  # as towards any database on the same machine
    )


async def furnished(directory: Path) -> HomeAssistant:
    """Make a Home Assistant with the registries of the benchmark and nothing else."""
    hass = HomeAssistant(str(directory))
    hass.config_entries = ConfigEntries(hass, {})
    dr.async_setup(hass)
    # At once, because some wait for others.
    registries = (ar, cr, dr, er, fr, lr)
    await asyncio.gather(
        hass.config_entries.async_initialize(),
        *(each.async_load(hass, load_empty=True) for each in registries),
    )
    entry: ConfigEntry = ConfigEntry(
        data={},
        discovery_keys=MappingProxyType({}),
        domain="bench_load",
        minor_version=1,
        options={},
        source="user",
        subentries_data=(),
        title="",
        unique_id=None,
        version=1,
    )
    hass.config_entries._entries[entry.entry_id] = entry
    furnish(hass, entry)
    return hass


@dataclass(slots=True)
class Cost:
    """Microseconds of processor time per point, of a stage and of its floor."""

    name: str
    floor: str
    stage_us: list[float] = field(default_factory=list)
    floor_us: list[float] = field(default_factory=list)

    def row(self) -> Row:
        """Put it into the table."""
        cost = median(self.stage_us)
        told = f"{cost:.2f} µs"
        best = f"{self.name}, best {min(self.stage_us):.2f}"
        if not self.floor:
            return Row(what=best, measured=told)
        floor = median(self.floor_us)
        beside = f"{best}, floor {floor:.2f} ({self.floor})"
        return Row(what=beside, measured=told)


def thread_us(work: Callable[[], object], points: int) -> float:
    """Run something; returns the thread's microseconds per point."""
    began = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - began) / 1000 / points


async def callback_costs(hass: HomeAssistant, directory: Path, events: int) -> list[Row]:
    """Give our listener and an empty one the same events of a real Home Assistant."""
    pipeline = new_pipeline(directory / "never opened")
    source = LocalSource(hass, Catalog(hass), pipeline)
    seen: list[Event[EventStateChangedData]] = []
    count = 0

    @callback
    def empty(_event: Event[EventStateChangedData]) -> None:
        pass

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        seen.append(event)

    def change() -> None:
        nonlocal count
        for _ in range(events):
            hass.states.async_set(*next_state(count))
            count += 1

    def give(listener: Callable[[Event[EventStateChangedData]], None]) -> None:
        for chunk in _chunks(seen, FRAME_POINTS):
            for event in chunk:
                listener(event)
            pipeline.intake.take()

    change()
    bare = [thread_us(change, events) for _ in range(_ROUNDS)]
    stop = hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    change()
    stop()
    give(source._async_fired)
    ours = []
    for _ in range(_ROUNDS):
        least = thread_us(lambda: give(empty), events)
        ours.append(thread_us(lambda: give(source._async_fired), events) - least)
    what = f"our capture callback on top of an empty listener, best {min(ours):.2f}"
    return [
        Row(what="a change of state itself, nobody listening", measured=f"{median(bare):.2f} µs"),
        at_most(what, median(ours), CALLBACK_US, _US),
    ]


async def captured(hass: HomeAssistant, directory: Path, events: int) -> list[StateEvent]:
    """Return the events of a run."""
    pipeline = new_pipeline(directory / "never opened")
    source = LocalSource(hass, Catalog(hass), pipeline)
    await source.async_start()
    pipeline.intake.take()
    found: list[StateEvent] = []
    for count in range(events):
        hass.states.async_set(*next_state(1_000_003 + count))
        found += [each for each in pipeline.intake.take().items if isinstance(each, StateEvent)]
    await source.async_stop()
    return found


def _chunks[T](items: list[T], size: int) -> Iterable[list[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def spool_costs(state_events: list[StateEvent], directory: Path) -> tuple[list[Row], list[bytes]]:
    """Take points from events to the bodies of requests, stage by stage."""
    points = len(state_events)
    encoder = Encoder(profile=profile())
    lines = encoder.encode(state_events).lines
    texts = ["\n".join(chunk).encode() for chunk in _chunks(lines, FRAME_POINTS)]
    parts = [line.split(",") for line in lines]
    encode = Cost("encode", "joining ready parts")
    append = Cost("append: frame, checksum, write", "pwrite alone")
    compress = Cost("compress for the disk", "")
    read = Cost("read back: frame, checksum, decompress", "pread alone")
    squeeze = Cost("gzip for the wire", "")
    settle = Cost("settle", "pwrite alone")
    bodies: list[bytes] = []
    compressor = Compressor()

    def join() -> None:
        for chunk in _chunks(parts, FRAME_POINTS):
            "\n".join([",".join(each) for each in chunk]).encode()

    for number in range(_ROUNDS):
        encode.stage_us.append(
            thread_us(
                partial(_encode, Encoder(profile=profile()), state_events),
                points,
            )
        )
        encode.floor_us.append(thread_us(join, points))
        place = directory / str(number)
        plain = [pack(text, first_seq=1, count=1, acked=0, time=0) for text in texts]
        compress.stage_us.append(
            thread_us(
                lambda: [
                    pack(text, first_seq=1, count=1, acked=0, time=0, compress=compressor)
                    for text in texts
                ],
                points,
            )
            - thread_us(
                lambda: [pack(text, first_seq=1, count=1, acked=0, time=0) for text in texts],
                points,
            )
        )
        append.floor_us.append(_write_us(place, plain, points))
        spool = _spool(place / "plain", compress=False)
        append.stage_us.append(_append_us(spool, lines))
        spool.close()
        spool = _spool(place / "spool", compress=True)
        _append_us(spool, lines)
        read.floor_us.append(_read_us(place / "spool", points))
        taken = squeezed = settled = 0.0
        bodies = []
        while True:
            began = time.thread_time_ns()
            batch = spool.read(_BATCH_POINTS, _BATCH_BYTES)
            taken += time.thread_time_ns() - began
            if batch is None:
                break
            began = time.thread_time_ns()
            bodies.append(zlib.compress(batch.payload, level=1, wbits=31))
            squeezed += time.thread_time_ns() - began
            began = time.thread_time_ns()
            spool.settle(batch, "written")
            settled += time.thread_time_ns() - began
        spool.close()
        read.stage_us.append(taken / 1000 / points)
        squeeze.stage_us.append(squeezed / 1000 / points)
        settle.stage_us.append(settled / 1000 / points)
        settle.floor_us.append(_write_us(place, [bytes(300)] * len(bodies), points))
    size = sum(len(text) + 1 for text in texts) / points
    rows = [Row(what="a point as line protocol", measured=f"{size:.0f} B")]
    rows += [cost.row() for cost in (encode, compress, append, read, squeeze, settle)]
    return rows, bodies


def _encode(encoder: Encoder, state_events: list[StateEvent]) -> None:
    for chunk in _chunks(state_events, FRAME_POINTS):
        encoder.encode(chunk)


def profile_costs(state_events: list[StateEvent]) -> list[Row]:
    """Encode the same changes with each profile."""
    makers: dict[str, Callable[[], Profile]] = {
        "homeiq": profile,
        "homeiq, numbers only": partial(profile, numbers_only=True),
        "tidy": partial(Tidy, dumps=json_dumps, location="Bench"),
        "core": Core,
    }
    rows = []
    for name, make in makers.items():
        _forget(state_events)
        costs = [
            thread_us(partial(_encode, Encoder(profile=make()), state_events), len(state_events))
            for _ in range(_ROUNDS)
        ]
        what = f"encode, {name} profile, best {min(costs):.2f}"
        rows.append(at_most(what, median(costs), PROFILE_US, _US))
    _forget(state_events)
    steady = [each for each in state_events if _is_steady(each)]
    costs = [
        thread_us(partial(_encode, Encoder(profile=profile()), steady), len(steady))
        for _ in range(_ROUNDS)
    ]
    what = f"encode, homeiq, attributes that stay ({len(steady) / len(state_events):.0%} of these)"
    rows.append(at_most(f"{what}, best {min(costs):.2f}", median(costs), PROFILE_US, _US))
    _forget(state_events)
    return rows


def _is_steady(state_event: StateEvent) -> bool:
    """Whether a change left the attributes alone, so that their object is shared."""
    new, old = state_event.new, state_event.old
    return new is not None and old is not None and new.attributes is old.attributes


def core_costs(state_events: list[StateEvent]) -> list[Row]:
    """Give the `core` profile and the integration that it replaces the same changes."""
    cost = Cost("encode, core profile", "built-in integration's converter and client")
    _forget(state_events)
    events = [
        Event(
            EVENT_STATE_CHANGED,
            {"entity_id": each.entity.entity_id, "old_state": each.old, "new_state": each.new},
            time_fired_timestamp=each.time,
        )
        for each in state_events
    ]

    for _ in range(_ROUNDS):
        work = partial(_encode, Encoder(profile=Core()), state_events)
        cost.stage_us.append(thread_us(work, len(state_events)))
        cost.floor_us.append(thread_us(partial(_encode_as_built_in, events), len(state_events)))
    _forget(state_events)
    return [cost.row()]


def _encode_as_built_in(events: list[Event[Any]]) -> None:
    convert = converter({})
    for event in events:
        if point := convert(event):
            line_v2(point)


def _forget(state_events: list[StateEvent]) -> None:
    """Let go of what one profile remembers, which says nothing to another."""
    for state_event in state_events:
        state_event.entity.memo.clear()


def _spool(directory: Path, *, compress: bool) -> Spool:
    settings = SpoolSettings(compress=compress)
    spool = Spool(OsFiles(directory), Ledger(), time.monotonic, time.time, settings)
    spool.open()
    return spool


def _append_us(spool: Spool, lines: list[str]) -> float:
    def append() -> None:
        for chunk in _chunks(lines, FRAME_POINTS):
            spool.append(chunk)

    return thread_us(append, len(lines))


def _write_us(directory: Path, frames: list[bytes], points: int) -> float:
    directory.mkdir(parents=True, exist_ok=True)
    fd = os.open(directory / "floor", os.O_WRONLY | os.O_CREAT, 0o600)

    def write() -> None:
        offset = 0
        for frame in frames:
            offset += os.pwrite(fd, frame, offset)

    try:
        return thread_us(write, points)
    finally:
        os.close(fd)


def _read_us(directory: Path, points: int) -> float:
    return thread_us(lambda: [each.read_bytes() for each in directory.glob("*.seg")], points)


async def delivery_costs(
    state_events: list[StateEvent], bodies: list[bytes], directory: Path, server: Server
) -> list[Row]:
    """Send to a real database; its own processor time is its own process's."""
    address = address_of(server, server.database)
    where = Destination(
        url=address.url,
        dialect=Dialect(address.dialect),
        org=address.org,
        bucket=address.database,
        token=address.token,
    )
    points = len(state_events)
    send = Cost("send, in requests of 1 MiB before gzip", "aiohttp alone")
    whole: list[float] = []
    short: list[float] = []
    headers = {"Authorization": f"Token {address.token}", "Content-Encoding": "gzip"}
    url = f"{address.url}/api/v2/write?org={address.org}&bucket={address.database}"
    async with aiohttp.ClientSession() as session:
        client = InfluxClient(session, where)
        for number in range(-1, _ROUNDS):
            began = time.thread_time_ns()
            for body in bodies:
                outcome = await client.post(body, gzipped=True)
                if outcome.status != 204:
                    raise RuntimeError(outcome)
            sent = (time.thread_time_ns() - began) / 1000 / points
            began = time.thread_time_ns()
            for body in bodies:
                async with session.post(url, data=body, headers=headers) as response:
                    await response.read()
            least = (time.thread_time_ns() - began) / 1000 / points
            cost = await _whole_us(state_events, new_pipeline(directory / f"{number}", client))
            brief = new_pipeline(directory / f"short{number}", client, numbers_only=True)
            brief_cost = await _whole_us(state_events, brief)
            if number >= 0:  # the first connects
                send.stage_us.append(sent)
                send.floor_us.append(least)
                whole.append(cost)
                short.append(brief_cost)
    _forget(state_events)
    lines = Encoder(profile=profile(numbers_only=True)).encode(state_events).lines
    size = sum(len(line.encode()) + 1 for line in lines) / points
    return [
        send.row(),
        at_most(
            f"the whole pipeline but gzip, encode to acknowledged, best {min(whole):.2f}",
            median(whole),
            PIPELINE_US,
            _US,
        ),
        at_most(
            f"  with numbers only, {size:.0f} B a point, best {min(short):.2f}",
            median(short),
            PIPELINE_US,
            _US,
        ),
    ]


async def _whole_us(state_events: list[StateEvent], pipeline: Pipeline) -> float:
    """Offer captures as fast as they are committed; every thread's processor time counts."""
    _forget(state_events)
    pipeline.start()
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while pipeline.export_state.status is not Status.OK:
            await asyncio.sleep(0.01)
        began = time.process_time_ns()
        for chunk in _chunks(state_events * _REPEATS, FRAME_POINTS):
            for state_event in chunk:
                pipeline.receive(state_event)
            while pipeline.intake:
                await asyncio.sleep(0.002)
        await pipeline.flush()
        while pipeline.ledger.written < len(state_events) * _REPEATS:
            await asyncio.sleep(0.01)
    cost = (time.process_time_ns() - began) / 1000 / len(state_events) / _REPEATS
    await pipeline.stop()
    return cost


async def measure(directory: Path, events: int, server: Server | None) -> list[Row]:
    """Measure every stage."""
    hass = await furnished(directory)
    # As Home Assistant does once it has started.
    gc.collect()
    gc.freeze()
    rows = await callback_costs(hass, directory, events)
    state_events = await captured(hass, directory, events)
    more, bodies = spool_costs(state_events, directory / "spools")
    rows += more
    rows += profile_costs(state_events)
    rows += core_costs(state_events)
    if server:
        rows += await delivery_costs(state_events, bodies, directory / "deliveries", server)
    await hass.async_stop(force=True)
    return rows
