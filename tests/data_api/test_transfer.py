"""The rows on the server in the end, and the number of requests."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_components.ha_ingestor.data_api.requests import Requests
from custom_components.ha_ingestor.data_api.rows import Table, rows_of
from custom_components.ha_ingestor.data_api.transfer import Transfer
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem, Result
from custom_components.ha_ingestor.registry.model import Device, Entity, Home
from custom_components.ha_ingestor.registry.order import topological_order
from scripts.rig.data_api import Tables

from .strict import (
    BROKEN,
    DOWN,
    OK,
    REFUSED,
    SOMEBODY_ELSE,
    TIMEOUT,
    StrictApi,
    device,
    entity,
    now,
    run,
)

BUSY = Result(kind=Kind.KEPT, problem=Problem.BUSY, retry_after=5.0)


def home(
    devices: Iterable[Device] = (), entities: Iterable[Entity] = (), services: Any = None
) -> Home:
    return Home(
        devices=topological_order(devices), entities=tuple(entities), services=services or {}
    )


def of_era(*, is_strict: bool) -> StrictApi:
    """Make one with the tables of today's server, or of an older one."""
    return StrictApi(tables=Tables(is_strict=is_strict))


def many(count: int) -> list[Device]:
    return [device(f"d{number:04}") for number in range(count)]


def sync(api: StrictApi, *homes: Home, transfer: Transfer | None = None) -> tuple[Transfer, Result]:
    """Bring one home after the other; returns the last verdict."""
    transfer = transfer or Transfer(requests=Requests(client=api, clock=now))

    async def go() -> Result:
        verdict = OK
        for one in homes:
            verdict = await transfer.sync(rows_of(one))
        return verdict

    return transfer, run(go())


def refuse(api: StrictApi, *keys: str) -> None:
    """Let the database reject some rows."""
    bad = set(keys)
    api.tables.refuse = lambda row: "bad row" if key_of(row) in bad else None


def key_of(row: Mapping[str, Any]) -> Any:
    """An entity row names its device too."""
    return row.get("entity_id") or row.get("device_id")


def ties(api: StrictApi) -> list[Any]:
    """What a leaf and an entity are tied to."""
    return [api.tables.devices["leaf"]["via_device"], api.tables.entities["light.x"]["device_id"]]


def test_everything_is_stored_in_few_requests_and_in_order() -> None:
    api = StrictApi()
    full = home(
        [device("leaf", via_device_id="root"), device("root"), *many(250)],
        [entity(f"light.n{number}", device_id="leaf") for number in range(201)],
        {"light": {"on": {"fields": {}}}},
    )
    _, verdict = sync(api, full)
    assert verdict.kind is Kind.ACCEPTED
    assert [table for table, _ in api.sent] == ["services"] + ["devices"] * 2 + ["entities"] * 2
    assert api.tables.devices["leaf"]["via_device"] == "root"
    assert {row["device_id"] for row in api.tables.entities.values()} == {"leaf"}
    assert ("light", "on") in api.tables.services
    assert {str(row["available_services"]) for row in api.tables.entities.values()} == {
        "['light.on']"
    }


def test_actions_that_come_later_reach_the_entities_of_their_domain_only() -> None:
    api = StrictApi()
    entities = [entity("light.x"), entity("switch.y")]
    transfer, _ = sync(api, home(many(1), entities, {"switch": {"on": {}}}))
    api.sent.clear()
    actions: dict[str, Any] = {"light": {"on": {}}, "switch": {"on": {}}}
    sync(api, home(many(1), entities, actions), transfer=transfer)
    assert api.sent == [("services", ["light"]), ("entities", ["light.x"])]
    assert api.tables.entities["light.x"]["available_services"] == ["light.on"]

    # Another description of the same action is no news to the entities.
    api.sent.clear()
    actions["light"] = {"on": {"name": "Turn on"}}
    sync(api, home(many(1), entities, actions), transfer=transfer)
    assert api.sent == [("services", ["light"])]


@pytest.mark.parametrize("answer", [REFUSED, BROKEN, TIMEOUT])
def test_actions_that_no_table_takes_stop_nothing_else(answer: Result) -> None:
    api = StrictApi(services=answer)
    actions: dict[str, Any] = {f"domain{number}": {"on": {}} for number in range(60)}
    full = home(many(3), [entity("light.x")], actions)
    transfer, verdict = sync(api, full)
    assert len(api.tables.devices) == 3
    assert len(api.tables.entities) == 1
    assert len(api.sent) < 30
    refused = transfer.known[Table.SERVICES].refused
    if answer is REFUSED:
        assert verdict.kind is Kind.ACCEPTED
        assert refused.keys() == actions.keys()
    else:
        # It is said, and tried again.
        assert verdict is answer
        assert refused == {}
    api.services = None
    transfer.forget()
    assert sync(api, full, transfer=transfer)[1].kind is Kind.ACCEPTED
    assert len(api.tables.services) == 60
    assert transfer.known[Table.SERVICES].refused == {}


def test_only_what_changed_is_sent_again() -> None:
    api = StrictApi()
    before = home(many(3), [entity("light.x")])
    transfer, _ = sync(api, before)
    api.sent.clear()
    _, verdict = sync(
        api, before, home([*many(2), device("d0002", "New")], before.entities), transfer=transfer
    )
    assert verdict.kind is Kind.ACCEPTED
    assert api.sent == [("devices", ["d0002"])]
    assert (transfer.sent, transfer.unchanged, transfer.pending) == (5, 3, 0)


def test_forget_makes_the_next_sync_send_every_row() -> None:
    api = StrictApi()
    transfer, _ = sync(api, home(many(3)))
    transfer.forget()
    sync(api, home(many(3)), transfer=transfer)
    assert api.requests == [3, 3]


@settings(max_examples=40)
@given(
    st.sets(st.integers(0, 449), max_size=8),
    st.sets(st.integers(0, 299), max_size=4),
    st.booleans(),
)
def test_rejected_rows_never_keep_others_from_being_stored(
    devices: set[int],
    entities: set[int],
    is_strict: bool,  # noqa: FBT001
) -> None:
    api = of_era(is_strict=is_strict)
    bad = {f"d{number:04}" for number in devices} | {f"light.n{number}" for number in entities}
    refuse(api, *bad)
    full = home(many(450), [entity(f"light.n{n}", device_id=f"d{n:04}") for n in range(300)])
    transfer, verdict = sync(api, full)
    assert verdict.kind is Kind.ACCEPTED
    refused = (
        transfer.known[Table.DEVICES].refused.keys() | transfer.known[Table.ENTITIES].refused.keys()
    )
    assert refused == bad
    assert api.tables.devices.keys() == {one.device_id for one in full.devices} - bad
    assert api.tables.entities.keys() == {one.entity_id for one in full.entities} - bad
    assert transfer.pending == 0


def test_a_refused_row_is_not_sent_again_until_it_changes() -> None:
    api = StrictApi()
    refuse(api, "d0001")
    transfer, _ = sync(api, home(many(3)))
    assert transfer.known[Table.DEVICES].refused == {"d0001": "bad row"}
    api.sent.clear()
    sync(api, home(many(3)), transfer=transfer)
    assert api.sent == []
    refuse(api)
    changed = home([device("d0000"), device("d0001", "Better"), device("d0002")])
    sync(api, changed, transfer=transfer)
    assert api.sent == [("devices", ["d0001"])]
    assert transfer.known[Table.DEVICES].refused == {}


def test_a_refused_row_that_becomes_what_it_was_is_no_longer_refused() -> None:
    api = StrictApi()
    good = home(many(2))
    transfer, _ = sync(api, good)
    refuse(api, "d0001")
    sync(api, home([device("d0000"), device("d0001", "Bad")]), transfer=transfer)
    assert "d0001" in transfer.known[Table.DEVICES].refused
    sync(api, good, transfer=transfer)
    assert transfer.known[Table.DEVICES].refused == {}


def test_a_refused_row_spoils_no_batch_a_second_time() -> None:
    api = StrictApi()
    refuse(api, "d0001")
    transfer, _ = sync(api, home(many(100)))
    transfer.forget()
    api.sent.clear()
    sync(api, home(many(100)), transfer=transfer)
    assert api.requests == [99, 1, 1]


@pytest.mark.parametrize("is_strict", [True, False])
def test_what_depends_on_a_refused_device_is_tied_to_it_once_it_is_taken(
    *, is_strict: bool
) -> None:
    api = of_era(is_strict=is_strict)
    refuse(api, "root")
    full = home(
        [device("root"), device("leaf", via_device_id="root"), device("other")],
        [entity("light.x", device_id="root"), entity("light.y", device_id="other")],
    )
    transfer, _ = sync(api, full)
    assert ties(api) == [None, None]

    refuse(api)
    transfer.forget()
    sync(api, full, transfer=transfer)
    assert ties(api) == ["root", "root"]


@pytest.mark.parametrize("is_strict", [True, False])
def test_a_refused_hub_costs_few_requests_and_its_devices_and_entities_are_stored(
    *, is_strict: bool
) -> None:
    api = of_era(is_strict=is_strict)
    refuse(api, "hub")
    leaves = [device(f"leaf{number}", via_device_id="hub") for number in range(300)]
    own = [entity(f"light.n{number}", device_id="hub") for number in range(300)]
    full = home([device("hub"), *leaves], own)
    transfer, verdict = sync(api, full)
    assert verdict.kind is Kind.ACCEPTED
    assert transfer.known[Table.DEVICES].refused == {"hub": "bad row"}
    assert transfer.known[Table.ENTITIES].refused == {}
    assert len(api.tables.devices) == len(api.tables.entities) == 300
    assert len(api.sent) < 40

    refuse(api)
    transfer.retry_refused()
    sync(api, full, transfer=transfer)
    assert {row["via_device"] for row in api.tables.devices.values()} == {"hub", None}
    assert {row["device_id"] for row in api.tables.entities.values()} == {"hub"}


@pytest.mark.parametrize("is_strict", [True, False])
def test_what_is_refused_of_a_device_that_is_there_stays_tied_to_it(*, is_strict: bool) -> None:
    api = of_era(is_strict=is_strict)
    before = home([device("root")], [entity("light.x", device_id="root")])
    transfer, _ = sync(api, before)
    refuse(api, "root")
    after = home(
        [device("root", "Bad"), device("leaf", via_device_id="root")],
        [entity("light.x", device_id="root", name="New")],
    )
    sync(api, after, transfer=transfer)
    assert transfer.known[Table.DEVICES].refused == {"root": "bad row"}
    assert ties(api) == ["root", "root"]
    assert api.tables.entities["light.x"]["name"] == "New"


def test_entities_of_a_refused_device_that_a_server_has_lost_are_stored_without_it() -> None:
    api = StrictApi()
    api.tables.is_strict = False
    entities = (entity("light.x", device_id="b"), entity("light.y", device_id="a"))
    transfer, _ = sync(api, Home(devices=(device("a"), device("b")), entities=entities))
    api.tables.clear()
    refuse(api, "b")
    transfer.forget()
    changed = Home(devices=(device("a"), device("b", "New")), entities=entities)
    _, verdict = sync(api, changed, transfer=transfer)
    assert verdict.kind is Kind.ACCEPTED
    found = [api.tables.entities[name]["device_id"] for name in ("light.x", "light.y")]
    assert found == [None, "a"]
    assert transfer.known[Table.DEVICES].refused.keys() == {"b"}
    assert transfer.known[Table.ENTITIES].refused == {}

    refuse(api)
    transfer.retry_refused()
    sync(api, changed, transfer=transfer)
    assert api.tables.entities["light.x"]["device_id"] == "b"
    assert transfer.known[Table.DEVICES].refused == {}


def test_an_entity_that_is_bad_itself_is_refused_also_where_its_device_is() -> None:
    api = StrictApi()
    home_before = Home(devices=(device("a"), device("b")), entities=(entity("light.z"),))
    transfer, _ = sync(api, home_before)
    refuse(api, "b", "light.x")
    bad = entity("light.x", device_id="b")
    changed = Home(
        devices=(device("a"), device("b", "New")),
        entities=(entity("light.z"), bad, entity("light.y", device_id="b")),
    )
    _, verdict = sync(api, changed, transfer=transfer)
    assert verdict.kind is Kind.ACCEPTED
    assert transfer.known[Table.ENTITIES].refused.keys() == {"light.x"}
    assert api.tables.entities["light.y"]["device_id"] == "b"


def test_the_only_entity_of_a_home_is_refused_where_devices_are_taken() -> None:
    api = StrictApi()
    refuse(api, "light.x")
    home_of_one = Home(devices=(device("a"),), entities=(entity("light.x"),))
    transfer, verdict = sync(api, home_of_one)
    assert verdict.kind is Kind.ACCEPTED
    assert transfer.known[Table.ENTITIES].refused == {"light.x": "bad row"}


def test_what_is_refused_is_tried_again_some_at_a_time_and_all_when_one_is_taken() -> None:
    api = StrictApi()
    bad = [f"d{number:04}" for number in range(100)]
    refuse(api, *bad)
    full = home(many(200))
    transfer, _ = sync(api, full)
    assert len(transfer.known[Table.DEVICES].refused) == 100
    tried = []
    for _ in range(5):
        api.sent.clear()
        transfer.retry_refused()
        sync(api, full, transfer=transfer)
        tried += [keys[0] for _, keys in api.sent if keys[0] in bad]
    # Each once before any a second time.
    assert sorted(tried) == bad
    assert len(transfer.known[Table.DEVICES].refused) == 100
    refuse(api, *bad[:10])
    for _ in range(2):
        transfer.retry_refused()
        sync(api, full, transfer=transfer)
    assert transfer.known[Table.DEVICES].refused.keys() == set(bad[:10])
    assert len(api.tables.devices) == 190
    assert transfer.pending == 0


def test_a_server_that_refuses_everything_has_no_row_refused_for_good() -> None:
    api = StrictApi()
    api.tables.refuse = lambda _row: "the database is gone"
    transfer, verdict = sync(api, home(many(500)))
    assert (verdict.kind, verdict.problem) == (Kind.KEPT, Problem.SERVER_ERROR)
    assert verdict.detail == "the database is gone"
    assert transfer.known[Table.DEVICES].refused == {}
    assert len(api.sent) < 25


def test_a_database_that_goes_later_rejects_no_row_either() -> None:
    api = StrictApi()
    transfer, _ = sync(api, home(many(3)))
    api.tables.refuse = lambda _row: "the database is gone"
    _, verdict = sync(api, home([*many(3), device("new")]), transfer=transfer)
    assert verdict.problem is Problem.SERVER_ERROR
    assert transfer.known[Table.DEVICES].refused == {}


def test_a_single_bad_row_is_confirmed_by_one_that_was_accepted_before() -> None:
    api = StrictApi()
    transfer, _ = sync(api, home(many(3)))
    refuse(api, "new")
    _, verdict = sync(api, home([*many(3), device("new")]), transfer=transfer)
    assert verdict.kind is Kind.ACCEPTED
    assert transfer.known[Table.DEVICES].refused == {"new": "bad row"}
    assert api.sent[-1] == ("devices", ["d0000"])


@pytest.mark.parametrize("has_services", [True, False])
@pytest.mark.parametrize("is_strict", [True, False])
def test_where_every_device_is_refused_the_entities_are_stored(
    *, is_strict: bool, has_services: bool
) -> None:
    api = of_era(is_strict=is_strict)
    api.has_services = has_services
    refuse(api, "d0000", "d0001")
    full = home(
        many(2),
        [entity("light.x", device_id="d0000"), entity("sun.sun")],
        {"light": {"on": {}}},
    )
    transfer, verdict = sync(api, full)
    assert verdict.kind is Kind.ACCEPTED
    assert transfer.known[Table.DEVICES].refused.keys() == {"d0000", "d0001"}
    assert api.tables.entities.keys() == {"light.x", "sun.sun"}
    assert transfer.pending == 0

    refuse(api)
    transfer.retry_refused()
    sync(api, full, transfer=transfer)
    assert api.tables.entities["light.x"]["device_id"] == "d0000"


def test_where_a_server_takes_no_row_of_any_table_none_is_refused() -> None:
    api = StrictApi()
    full = home(many(2), [entity("sun.sun")], {"light": {"on": {}}})
    transfer, _ = sync(api, full)
    api.tables.refuse = lambda _row: "no such table"
    api.services = REFUSED
    transfer.forget()
    _, verdict = sync(api, full, transfer=transfer)
    assert verdict.kind is Kind.KEPT
    assert transfer.refused == 0


def test_bad_rows_at_the_very_beginning_stop_nothing() -> None:
    api = StrictApi()
    refuse(api, *(f"d{number:04}" for number in range(20)))
    transfer, verdict = sync(api, home(many(40)))
    assert verdict.kind is Kind.ACCEPTED
    assert len(transfer.known[Table.DEVICES].refused) == 20
    assert len(api.tables.devices) == 20


def test_an_interrupted_transfer_goes_on_where_it_was() -> None:
    api = StrictApi()
    api.verdicts.extend([OK, OK, DOWN])
    transfer, verdict = sync(api, home(many(600)))
    assert (verdict.problem, transfer.pending) == (Problem.UNREACHABLE, 200)
    sync(api, home(many(600)), transfer=transfer)
    assert api.requests == [200, 200, 200, 200]
    assert len(api.tables.devices) == 600


def test_a_slow_server_gets_less_at_a_time_until_it_is_well() -> None:
    api = StrictApi()
    api.verdicts.extend([TIMEOUT, TIMEOUT])
    transfer, _ = sync(api, home(many(100)))
    sync(api, home(many(100)), transfer=transfer)
    assert api.requests == [100, 100]
    sync(api, home(many(100)), transfer=transfer)
    assert api.requests[2:] == [50, 50]
    transfer.forget()
    sync(api, home(many(100)), transfer=transfer)
    assert api.requests[4:] == [100]


def test_what_a_proxy_finds_too_large_is_sent_in_pieces() -> None:
    api = StrictApi(rows_max=60)
    _, verdict = sync(api, home(many(200)))
    assert verdict.kind is Kind.ACCEPTED
    assert api.requests == [200, 100, 50, 50, 50, 50]


def test_an_old_server_without_actions_is_no_trouble() -> None:
    api = StrictApi(has_services=False)
    transfer, verdict = sync(api, home(many(1), services={"light": {"on": {}}}))
    assert verdict.kind is Kind.ACCEPTED
    assert (transfer.sent, transfer.pending) == (1, 0)


def test_a_server_that_is_not_there_yet_is_sent_the_actions_later() -> None:
    """While it starts, the proxy before it says 404 to everything."""
    api = StrictApi(down=SOMEBODY_ELSE)
    full = home(many(1), services={"light": {"on": {}}})
    transfer, verdict = sync(api, full)
    assert verdict is SOMEBODY_ELSE
    api.down = None
    assert sync(api, full, transfer=transfer)[1].kind is Kind.ACCEPTED
    assert ("light", "on") in api.tables.services


def test_a_new_action_is_not_forgotten_while_the_server_restarts() -> None:
    api = StrictApi()
    transfer, _ = sync(api, home(many(1), services={"light": {"on": {}}}))
    api.down = SOMEBODY_ELSE
    after = home(many(1), services={"light": {"on": {}, "off": {}}})
    assert sync(api, after, transfer=transfer)[1] is SOMEBODY_ELSE
    api.down = None
    sync(api, after, transfer=transfer)
    assert ("light", "off") in api.tables.services


def test_an_old_server_is_asked_to_take_actions_with_each_whole_sync_only() -> None:
    api = StrictApi(services=SOMEBODY_ELSE)
    full = home(many(1), services={"light": {"on": {}}})
    transfer, verdict = sync(api, full, full)
    assert verdict.kind is Kind.ACCEPTED
    assert [table for table, _ in api.sent] == ["services", "devices"]
    transfer.forget()
    sync(api, full, transfer=transfer)
    assert [table for table, _ in api.sent][2:] == ["services", "devices"]


def test_a_row_that_is_removed_here_is_stale_there() -> None:
    api = StrictApi()
    transfer, _ = sync(api, home(many(3), [entity("light.x")]))
    sync(api, home(many(2), [entity("light.y")]), transfer=transfer)
    assert transfer.known[Table.DEVICES].stale == {"d0002"}
    assert transfer.known[Table.ENTITIES].stale == {"light.x"}
    sync(api, home(many(3), [entity("light.y")]), transfer=transfer)
    assert transfer.known[Table.DEVICES].stale == set()


def test_rows_stored_by_an_earlier_sync_are_found_to_be_stale() -> None:
    api = StrictApi()
    sync(api, home(many(3)))
    transfer = Transfer(requests=Requests(client=api, clock=now))
    run(transfer.find_stale())
    sync(api, home(many(2)), transfer=transfer)
    assert transfer.known[Table.DEVICES].stale == {"d0002"}


def test_many_requests_keep_to_the_pace() -> None:
    api = StrictApi()

    async def go() -> float:
        transfer = Transfer(requests=Requests(client=api, clock=now))
        await transfer.sync(rows_of(home(many(200 * 60))))
        return now()

    assert 30 <= run(go()) <= 32
    assert len(api.sent) == 60


def test_retry_after_is_respected() -> None:
    api = StrictApi()
    api.verdicts.append(BUSY)
    transfer, verdict = sync(api, home(many(1)))
    assert verdict is BUSY

    async def go() -> float:
        before = now()
        await transfer.sync(rows_of(home(many(1))))
        return now() - before

    assert run(go()) > 0.5
