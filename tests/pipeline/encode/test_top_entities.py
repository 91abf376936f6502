"""The report of who talks most."""

from homeassistant.helpers.json import json_dumps
from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.pipeline.encode.encoder import SERIES_STATES_MAX, Encoder
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.top_entities import (
    SERIES_MAX,
    EntityPoints,
    EntityStats,
    entity_statistics,
    top_entities,
)
from custom_components.ha_ingestor.pipeline.model import OtherEvent, OwnPoint, StateEvent, Weather
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change, entity


@given(st.lists(st.tuples(st.sampled_from(["sensor.a", "sensor.b"]), st.text())))
def test_what_is_counted_are_the_points_and_the_bytes_that_are_stored(
    said: list[tuple[str, str]],
) -> None:
    state_events: list[StateEvent | OtherEvent] = [
        change(FakeState(state=text), of=entity(entity_id=name)) for name, text in said
    ]
    state_events.append(OtherEvent("doorbell", {}, NOON, FakeContext()))
    encoder = Encoder(profile=HomeIQ(dumps=json_dumps))

    lines = [line.encode() for line in encoder.encode(state_events).lines]

    assert sum(each.points for each in encoder.stats.values()) == len(state_events)
    assert sum(each.bytes for each in encoder.stats.values()) == len(b"\n".join(lines) + b"\n")
    for name, each in encoder.stats.items():
        assert each.points == sum(spoken == name for spoken, _ in said) or name == "doorbell"


def test_top_entities_are_those_with_most_points_and_those_with_most_bytes() -> None:
    stats = {f"sensor.{number}": EntityStats(number + 1, 100) for number in range(30)}
    stats["camera.a"] = EntityStats(1, 5000)

    found = top_entities(stats, 1800)

    assert [each.subject for each in found.by_points] == [
        f"sensor.{number}" for number in range(29, 9, -1)
    ]
    assert found.by_bytes[0].subject == "camera.a"
    assert (len(found.by_points), len(found.by_bytes)) == (20, 20)
    assert (found.hours, found.by_points[0].points_per_hour) == (0.5, 60)


def test_there_are_no_top_entities_at_the_start() -> None:
    assert top_entities({"sensor.a": EntityStats(1, 1)}, 0).by_points[0].points_per_hour == 0
    assert top_entities({}, 10).by_points == []


def written(encoder: Encoder, entity_id: str, at: float = NOON, state: str = "1") -> int:
    new = FakeState(state=state, last_updated_timestamp=at)
    (line,) = encoder.encode([change(new, of=entity(entity_id=entity_id))]).lines
    return int(line.rpartition(" ")[2])


def test_ids_that_come_and_go_do_not_fill_the_memory() -> None:
    encoder = Encoder(profile=HomeIQ(dumps=json_dumps))
    for _ in range(100):
        written(encoder, "sensor.loud")
    written(encoder, "sensor.long", state="x" * 30_000)
    loud = encoder.stats["sensor.loud"].bytes
    for start in range(0, 40_000, 1000):
        encoder.encode(
            change(FakeState(state="1"), of=entity(entity_id=f"sensor.a{number}"))
            for number in range(start, start + 1000)
        )
        written(encoder, "sensor.live")

    assert len(encoder.stats) <= SERIES_STATES_MAX
    assert (encoder.stats["sensor.loud"].points, encoder.stats["sensor.loud"].bytes) == (100, loud)
    assert encoder.stats["sensor.live"].points == 40
    report = top_entities(encoder.stats, 3600)
    assert {each.subject for each in report.by_points[:2]} == {"sensor.loud", "sensor.live"}
    assert report.by_bytes[0].subject == "sensor.long"
    # What is forgotten is counted all the same.
    assert sum(each.points for each in encoder.stats.values()) + encoder.forgotten.points == 40_141


def test_what_was_encoded_lately_never_overwrites_its_own_points() -> None:
    encoder = Encoder(profile=HomeIQ(dumps=json_dumps))

    def burst(name: str, count: int) -> None:
        # Each says more than the quiet one.
        of = [entity(entity_id=f"sensor.{name}{number}") for number in range(count)]
        encoder.encode(change(FakeState(state="1"), of=each) for each in of * 2)

    times = []
    for turn in range(2):
        burst(f"old{turn}_", SERIES_STATES_MAX)
        times.append(written(encoder, "sensor.quiet"))
        burst(f"new{turn}_", 100)
        assert len(encoder.stats) <= SERIES_STATES_MAX
        times.append(written(encoder, "sensor.quiet"))
        assert times[-1] == times[-2] + 1000


@given(st.lists(st.tuples(st.sampled_from(["sensor.a", "sensor.b"]), st.sampled_from("abcdef"))))
def test_the_series_of_an_entity_are_the_different_ones_of_its_lines(
    said: list[tuple[str, str]],
) -> None:
    """The tag with the weather makes them."""
    encoder = Encoder(profile=HomeIQ(dumps=json_dumps))
    lines = encoder.encode(
        change(FakeState(state="1"), of=entity(entity_id=name))._replace(
            weather=Weather(condition=condition)
        )
        for name, condition in said
    ).lines

    series = {line.split(" ", maxsplit=1)[0] for line in lines}
    for name, each in entity_statistics(encoder.stats, {}).items():
        assert each.series == sum(f"entity_id={name}," in one for one in series)


def test_no_more_series_of_an_entity_are_counted_than_are_remembered() -> None:
    encoder = Encoder(profile=HomeIQ(dumps=json_dumps))
    for number in range(1000):
        weather = Weather(condition=f"weather{number}")
        encoder.encode([change(FakeState(state="1"))._replace(weather=weather)])
    assert entity_statistics(encoder.stats, {})["sensor.kitchen"].series == SERIES_MAX


def test_the_last_point_is_told_with_its_time_and_with_the_state_that_it_has() -> None:
    encoder = Encoder(profile=HomeIQ(dumps=json_dumps, numbers_only=True))
    warm = FakeState(state="21.5", last_updated_timestamp=NOON)
    text = FakeState(state="much", last_updated_timestamp=NOON + 10)

    def told(last: FakeState | None) -> EntityPoints:
        return entity_statistics(encoder.stats, {"sensor.kitchen": last} if last else {})[
            "sensor.kitchen"
        ]

    encoder.encode([change(warm)])
    assert (told(warm).last_time, told(warm).last_state) == (NOON, "21.5")
    # A database of numbers does not get it.
    assert encoder.encode([change(text)]).filtered == {"no_number": 1}
    assert (told(text).last_time, told(text).last_state) == (NOON, None)
    # It is removed.
    assert told(None).last_state is None


def test_points_of_a_measurement_that_is_called_as_an_entity_have_no_last_state() -> None:
    encoder = Encoder(profile=HomeIQ(dumps=json_dumps))
    encoder.encode([OwnPoint("sensor.kitchen", "sensor.kitchen value=1 1")])
    (found,) = entity_statistics(encoder.stats, {"sensor.kitchen": FakeState(state="1")}).values()
    assert (found.points, found.last_time, found.last_state) == (1, None, None)
