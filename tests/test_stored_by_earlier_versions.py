"""What an earlier version left in the configuration directory is used by this one.

`tests.fixtures.stored` says what is in the folders, and how they were recorded.
"""

import base64
import gzip
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import category_registry as cr
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers import label_registry as lr
from homeassistant.helpers import restore_state as rs
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.flows.options import PAGES
from scripts.rig.data_api import DataApi
from tests.emulator import V1_13, V2_7, Answer, Emulator
from tests.fixtures.stored.servers import DATA_API, FIRST, SECOND, found_at
from tests.flows.steps import suggested
from tests.pages import save, way_to
from tests.shell import until, unzipped

DOMAIN: Final = "ha_ingestor"
STORED: Final = Path(__file__).parent / "fixtures" / "stored"
BUSY: Final = Answer(status=503, body='{"error":"timeout"}')
# What stays as it was until a point is delivered or captured.
COUNTS: Final = (
    *("captured", "written", "quarantined", "evicted", "lost", "evicted_for"),
    *("deduplicated", "replayed", "misdated", "pending"),
)

pytestmark = [
    pytest.mark.parametrize("load_registries", [False]),
    pytest.mark.parametrize(
        "version", sorted(path.parent.name for path in STORED.glob("*/told.json"))
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A home as it was, and its servers; both databases are busy at first."""

    hass: HomeAssistant
    folder: Path
    first: Emulator
    second: Emulator
    data_api: DataApi

    @property
    def told(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json("told.json")
        return found

    @property
    def entries(self) -> list[ConfigEntry]:
        """Both destinations in their order."""
        found = (self.hass.config_entries.async_get_entry(one["entry_id"]) for one in self.told)
        return [entry for entry in found if entry]

    def json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def rows(self, store: str, kind: str) -> list[dict[str, Any]]:
        """Read what was stored of ours."""
        rows = self.json(f"storage/{store}")["data"][kind]
        return [row for row in rows if DOMAIN in (row.get("domain"), row.get("platform"))]

    def lines(self, name: str) -> list[str]:
        return (self.folder / name).read_text(encoding="utf-8").split("\n")

    async def act(self, action: str, *, response: bool = False, **data: Any) -> dict[str, Any]:
        """Carry out an action for the first destination."""
        data = {"config_entry_id": self.told[0]["entry_id"]} | data
        answer: Any = await self.hass.services.async_call(
            DOMAIN, action, data, blocking=True, return_response=response
        )
        return answer or {}

    async def deliver(self) -> None:
        """Let both databases take points again."""
        self.first.impostor = self.second.impostor = None
        await self.hass.services.async_call(DOMAIN, "flush", {}, blocking=True)
        await until(lambda: delivered(self.first) and delivered(self.second))


def delivered(server: Emulator) -> list[str]:
    """Read the lines that a database stored, in the order of arrival."""
    writes = [seen for seen in server.writes if unzipped(seen)]
    lines = [line for seen in writes for line in unzipped(seen).decode().split("\n") if line]
    return list(dict.fromkeys(lines)) if server.stored else []


def copy(folder: Path, directory: Path) -> None:
    """Put what is ours into a configuration directory."""
    shutil.copytree(folder / "ha_ingestor.log.d", directory / "ha_ingestor.log.d")
    for file in directory.rglob("*.gz"):
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()


@pytest.fixture(name="stored")
async def _stored(
    hass: HomeAssistant, hass_storage: dict[str, Any], version: str, socket_enabled: None
) -> AsyncIterator[Stored]:
    """Start with what an earlier version left."""
    folder = STORED / version
    await hass.async_add_executor_job(copy, folder, Path(hass.config.config_dir))
    for file in (folder / "storage").iterdir():
        hass_storage[file.name] = json.loads(file.read_text(encoding="utf-8"))
    # A user wants to see all of them: nobody can tell of a disabled one whether it is still used.
    for row in hass_storage["core.entity_registry"]["data"]["entities"]:
        row["disabled_by"] = None
    await hass.config.async_update(location_name="Rig")
    dr.async_setup(hass)
    for registry in (ar, cr, dr, er, fr, ir, lr, rs):
        await registry.async_load(hass)
    await hass.config_entries.async_initialize()
    async with (
        Emulator(profile=V1_13) as first,
        Emulator(profile=V2_7) as second,
        DataApi(api_key="not-a-key") as data_api,
    ):
        first.allowed = {"Basic " + base64.b64encode(b"writer:not-a-password").decode()}
        second.allowed = {"Token not-a-token"}
        first.impostor = second.impostor = BUSY
        with found_at({FIRST: first.url, SECOND: second.url, DATA_API: data_api.url}):
            assert await async_setup_component(hass, DOMAIN, {})
            await hass.async_block_till_done()
            yield Stored(hass=hass, folder=folder, first=first, second=second, data_api=data_api)
            await hass.async_stop(force=True)


async def test_destinations_keep_data_and_options_after_an_update(stored: Stored) -> None:
    rows = stored.rows("core.config_entries", "entries")
    assert len(rows) == len(stored.entries) == 2
    for entry, row in zip(stored.entries, rows, strict=True):
        assert entry.state is ConfigEntryState.LOADED
        assert (entry.unique_id, entry.title) == (row["unique_id"], row["title"])
        assert (entry.data, entry.options) == (row["data"], row["options"])
        subentries = [dict(one.as_dict()) for one in entry.subentries.values()]
        assert subentries == row["subentries"]


async def test_every_page_of_the_options_opens_as_it_was_filled_in_and_stays_so(
    stored: Stored,
) -> None:
    entry = stored.entries[0]
    before = dict(entry.options)
    pages = stored.json("entered.json")
    assert pages.keys() == before.keys()

    for page, entered in pages.items():
        if page in {"homeiq", "core", "tidy"}:
            shown = await shown_on(stored.hass, entry, "points", profile=page)
        else:
            shown = await shown_on(stored.hass, entry, page)
        if page == "filter":
            # There was nothing but what is excluded now.
            assert shown.pop("include") == {}
            (shown,) = shown.values()
        assert {name: shown.get(name, []) for name in entered} == entered, page

    flow = stored.hass.config_entries.options
    for page in pages.keys() - {"points", "core", "tidy"}:
        entered = pages[page]
        result = await opened(stored.hass, entry, "points" if page == "homeiq" else page)
        if page == "homeiq":
            result = await flow.async_configure(result["flow_id"], pages["points"])
        if page == "filter":
            result = await flow.async_configure(result["flow_id"], {"exclude": entered})
            result = await save(stored.hass, result)
        else:
            result = await flow.async_configure(result["flow_id"], entered)
        assert result["type"] is FlowResultType.CREATE_ENTRY, page
        # What is new since then has its default.
        before[page] = {**PAGES[page].defaults, **before[page]}
        assert entry.options == before, page


async def opened(hass: HomeAssistant, entry: ConfigEntry, page: str) -> Any:
    flow = hass.config_entries.options
    result: Any = await flow.async_init(entry.entry_id)
    for step in [*way_to(page), page]:
        result = await flow.async_configure(result["flow_id"], {"next_step_id": step})
    return result


async def shown_on(
    hass: HomeAssistant, entry: ConfigEntry, page: str, **entered: Any
) -> dict[str, Any]:
    """Read what is filled in on a page, or on the one after it, and leave the dialogue."""
    flow = hass.config_entries.options
    result = await opened(hass, entry, page)
    if entered:
        result = await flow.async_configure(result["flow_id"], entered)
    flow.async_abort(result["flow_id"])
    assert result["type"] is FlowResultType.FORM
    return suggested(result)


async def test_the_same_destination_cannot_be_set_up_a_second_time(stored: Stored) -> None:
    stored.first.impostor = None
    flow = stored.hass.config_entries.flow
    result: Any = await flow.async_init(DOMAIN, context={"source": "user"})
    address = {"url": FIRST, "dialect": "auto", "advanced": {"verify_ssl": True}}
    result = await flow.async_configure(result["flow_id"], address)
    credentials = {"username": "writer", "password": "not-a-password"}
    result = await flow.async_configure(result["flow_id"], credentials)
    result = await flow.async_configure(result["flow_id"], {"database": "home_assistant"})
    assert result["reason"] == "already_configured"


async def test_entities_keep_their_ids_after_an_update(stored: Stored) -> None:
    registry = er.async_get(stored.hass)
    rows = stored.rows("core.entity_registry", "entities")
    assert len(rows) > 30
    live = {
        entity.unique_id
        for platform in ("sensor", "binary_sensor")
        for entity in stored.hass.data[f"{platform}"].entities
    }
    for row in rows:
        entity = registry.async_get(row["entity_id"])
        assert entity
        assert (entity.unique_id, entity.id) == (row["unique_id"], row["id"])
        state = stored.hass.states.get(row["entity_id"])
        assert row["unique_id"] in live
        assert state
        assert "restored" not in state.attributes
    ours = [one for one in registry.entities.values() if one.platform == DOMAIN]
    assert {row["entity_id"] for row in rows} <= {one.entity_id for one in ours}
    devices = stored.json("storage/core.device_registry")["data"]["devices"]
    known = dr.async_get(stored.hass)
    assert len(devices) == 4
    for device in devices:
        found = known.async_get(device["id"])
        assert found
        assert found.identifiers == {tuple(one) for one in device["identifiers"]}
        assert found.name == device["name"]


async def test_the_counts_of_an_earlier_version_continue(
    stored: Stored, hass_client: ClientSessionGenerator
) -> None:
    for entry, told in zip(stored.entries, stored.told, strict=True):
        found = await ledger(stored, hass_client, entry)
        assert {name: found[name] for name in COUNTS} == {
            name: told["ledger"][name] for name in COUNTS
        }
        assert found["received"] >= told["ledger"]["received"]
        for reason, count in told["ledger"]["filtered"].items():
            assert found["filtered"][reason] >= count
        assert found["balanced"] is True


async def ledger(
    stored: Stored, hass_client: ClientSessionGenerator, entry: ConfigEntry
) -> dict[str, Any]:
    assert await async_setup_component(stored.hass, "diagnostics", {})
    found: Any = await get_diagnostics_for_config_entry(stored.hass, hass_client, entry)
    counts: dict[str, Any] = found["ledger"]
    return counts


async def test_exactly_the_pending_points_are_delivered(
    stored: Stored, hass_client: ClientSessionGenerator
) -> None:
    await stored.deliver()
    assert delivered(stored.first) == stored.lines("expected.lp")
    assert delivered(stored.second) == stored.lines("expected_second.lp")
    assert len(stored.first.stored) == len(stored.lines("expected.lp"))
    assert len(stored.second.stored) == len(stored.lines("expected_second.lp"))
    for entry, told in zip(stored.entries, stored.told, strict=True):
        found = await ledger(stored, hass_client, entry)
        before = told["ledger"]
        assert found["written"] == before["written"] + before["pending"]
        assert found["pending"] == 0


async def test_the_quarantine_is_listed_and_delivered_once_more(stored: Stored) -> None:
    points = stored.told[0]["quarantine"]["points"]
    assert await stored.act("export_quarantine", response=True) == stored.told[0]["quarantine"]
    await stored.deliver()

    assert await stored.act("replay_quarantine", response=True) == {"replayed": len(points)}

    await stored.act("flush")
    expected = [*stored.lines("expected.lp"), *(one["line"] for one in points)]
    await until(lambda: len(stored.first.stored) >= len(expected))
    assert delivered(stored.first) == expected
    assert (await stored.act("export_quarantine", response=True))["total"] == 0


async def test_what_was_written_before_the_restart_is_not_written_again(
    stored: Stored, hass_client: ClientSessionGenerator
) -> None:
    hass, kelvin = stored.hass, {"unit_of_measurement": "K"}
    hass.states.async_set("sensor.remembered", "21.5", kelvin)
    hass.states.async_set("sensor.kitchen", "304.25", kelvin)
    hass.states.async_set("light.lamp_1", "on")
    await stored.deliver()
    await until(lambda: len(stored.first.stored) > len(stored.lines("expected.lp")))

    more = delivered(stored.first)[len(stored.lines("expected.lp")) :]
    assert len(more) == 1
    assert "entity_id=light.lamp_1," in more[0]
    assert 'state_value="on"' in more[0]
    found = await ledger(stored, hass_client, stored.entries[0])
    echoes = stored.told[0]["ledger"]["filtered"]["restart_echo"]
    assert found["filtered"]["restart_echo"] == echoes + 2


async def test_devices_and_entities_that_did_not_change_are_sent_to_the_data_api_only(
    stored: Stored,
) -> None:
    await until(lambda: stored.data_api.tables.entities)
    assert {"light.lamp_1", "light.lamp_2"} <= set(stored.data_api.tables.entities)
    await stored.deliver()
    assert delivered(stored.first) == stored.lines("expected.lp")


async def test_the_metadata_store_goes_on(
    stored: Stored, hass_client: ClientSessionGenerator
) -> None:
    response = await (await hass_client()).get(f"/api/{DOMAIN}/entities?limit=100")
    found = {one["entity_id"]: one for one in (await response.json())["entities"]}
    rows = stored.json("storage/core.entity_registry")["data"]["entities"]
    assert found.keys() >= {row["entity_id"] for row in rows}
    # It has seen them in the life in which they were made.
    began = min(datetime.fromisoformat(row["created_at"]) for row in rows)
    for row in rows:
        seen = datetime.fromisoformat(found[row["entity_id"]]["first_seen"])
        assert began <= seen < began + timedelta(minutes=1)
    assert not [key for _, key in ir.async_get(stored.hass).issues if "metadata" in key]
