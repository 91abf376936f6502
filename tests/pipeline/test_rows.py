"""What a row of a registry becomes, on its way through the same parts as a change of a state."""

import json
from typing import Any

from homeassistant.helpers.json import json_dumps
from hypothesis import given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder, Profile
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.core_settings import CoreSettings
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.filter.filters import NoiseFilter, NoiseFilterSettings
from custom_components.ha_ingestor.pipeline.filter.intake import estimate_size
from custom_components.ha_ingestor.pipeline.filter.last_written import LastWritten
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.model import RegistryRow
from tests.pipeline.encode.test_line_protocol import ANY_TEXT

from .memory_files import MemoryFiles
from .running import BrokenDisk, Switch, assert_balanced, running, until
from .scripted_writer import ScriptedWriter
from .state_events import NOON

LAMP = RegistryRow(
    "devices",
    (("device_id", "d1"), ("model", "LCA 001"), ("area_id", "")),
    (("name", 'The "lamp"'), ("entity_count", 3.0), ("removed", False)),
    NOON + 0.000_001,
)


def profiles(**settings: Any) -> list[Profile]:
    return [
        HomeIQ(dumps=json_dumps, **settings),
        Tidy(dumps=json_dumps, **settings),
        Core(settings=CoreSettings(), **settings),
    ]


def lines(row: RegistryRow, **settings: Any) -> set[str]:
    """What each of the profiles makes of a row."""
    return {
        line
        for profile in profiles(**settings)
        for line in Encoder(profile=profile).encode([row]).lines
    }


def test_a_row_is_the_same_point_with_every_profile() -> None:
    (line,) = lines(LAMP)
    assert parse_line(line) == {
        "measurement": "devices",
        "tags": {"device_id": "d1", "model": "LCA 001"},
        "fields": {"name": 'The "lamp"', "entity_count": 3.0, "removed": False},
        "time": 1_795_262_400_000_001_000,
    }


def test_a_row_for_a_database_of_numbers_has_no_text() -> None:
    (line,) = lines(LAMP, numbers_only=True)
    assert parse_line(line)["fields"] == {"entity_count": 3.0, "removed": False}


def test_a_row_without_anything_to_store_is_counted() -> None:
    row = LAMP._replace(fields=(("name", "Lamp"),))
    for profile in profiles(numbers_only=True):
        encoded = Encoder(profile=profile).encode([row])
        assert (encoded.lines, encoded.filtered) == ([], {"no_number": 1})


@given(
    st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=5),
    st.dictionaries(
        ANY_TEXT, st.one_of(ANY_TEXT, st.booleans(), st.floats(allow_subnormal=False)), max_size=5
    ),
)
def test_whatever_a_row_holds_is_one_point_and_no_field_flips(
    tags: dict[str, str], known: dict[str, str | bool | float]
) -> None:
    row = RegistryRow("entities", tuple(tags.items()), (("removed", False), *known.items()), NOON)
    (line,) = lines(row)
    parsed = parse_line(line.encode("utf-8", "replace").decode())
    assert parsed["measurement"] == "entities"
    assert parsed["fields"].pop("removed") is False
    kinds = {name: type(value) for name, value in parsed["fields"].items()}
    # Some names are stored as another one, which may be the name of something else.
    plain = {name: value for name, value in known.items() if name.isidentifier() and name[0] != "_"}
    if len(plain) == len(known):
        assert all(kinds[name] is type(value) for name, value in plain.items() if name in kinds)


def test_rows_of_one_moment_are_kept_apart() -> None:
    encoder = Encoder(profile=HomeIQ(dumps=json_dumps))
    times = [parse_line(line)["time"] for line in encoder.encode([LAMP, LAMP, LAMP]).lines]
    assert times == [1_795_262_400_000_001_000 + step * 1000 for step in range(3)]


def test_the_noise_filter_passes_every_registry_row() -> None:
    ledger = Ledger()
    noise_filter = NoiseFilter(
        ledger=ledger,
        settings=NoiseFilterSettings(window=60, skip_unavailable=True),
        last_written=LastWritten(ledger=ledger, dumps=json.dumps),
        clock=lambda: 0,
        wall_clock=lambda: NOON,
    )
    assert noise_filter.filter([LAMP, LAMP]) == [LAMP, LAMP]
    assert ledger.deduplicated == 0


def test_the_size_of_a_row_is_that_of_its_fields() -> None:
    assert estimate_size(LAMP) == len(str(LAMP.fields))


async def test_a_row_is_counted_and_delivered_like_any_other_point() -> None:
    writer = ScriptedWriter()
    async with running(MemoryFiles(), writer) as pipeline:
        pipeline.receive(LAMP)
        assert await pipeline.commit()
        await assert_balanced(pipeline, 1)
        await until(lambda: len(writer.stored) == 1)


async def test_a_commit_returns_whether_the_rows_are_on_the_disk() -> None:
    disk, switch = BrokenDisk(), Switch()
    switch.up = False
    async with running(MemoryFiles(fault=disk), ScriptedWriter(judge=switch)) as pipeline:
        pipeline.receive(LAMP)
        assert not await pipeline.commit()
        disk.broken = False
        assert await pipeline.commit()
