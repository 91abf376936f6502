"""Names that topics of one measurement use for different things, for the user to see before."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ..health.line import read_line
from ..pipeline.encode.columns import message_field_name
from ..pipeline.encode.message_shape import MessageShape

# What the name of a text ends with.
_TEXT: Final = "_str"


class Clash(NamedTuple):
    """What clashes, by the key of its sentence, and what completes the sentence."""

    key: str
    names: Mapping[str, str]


class Stored(NamedTuple):
    """What would be stored of a message: series and fields, and how its topic is stored."""

    topic: str
    shape: MessageShape
    series: str
    fields: str


def clashes_of(stored: Sequence[Stored]) -> list[Clash]:
    """Find what clashes in what would be stored of these messages; each is said once."""
    found: dict[tuple[str, str, str], Clash] = {}
    numbers: dict[tuple[str, str], str] = {}
    texts: dict[tuple[str, str], str] = {}
    for each in stored:
        measurement = each.shape.measurement
        fields = read_line(f"{each.series} {each.fields} 0").fields
        for tag, name in _renamed(each.shape, fields):
            names = {"measurement": measurement, "name": tag, "stored": name}
            found.setdefault(("tag", measurement, tag), Clash("clash_tag", names))
        for base in {name.removesuffix(_TEXT) for name in fields}:
            is_number, is_text = base in fields, base + _TEXT in fields
            # A number that does not give its text back is both.
            if is_number != is_text:
                of_kind = numbers if is_number else texts
                of_kind.setdefault((measurement, base), each.topic)
    for measurement, name in sorted(numbers.keys() & texts.keys()):
        key = measurement, name
        names = {"measurement": measurement, "name": name, "stored": name + _TEXT}
        topics = {"number": numbers[key], "text": texts[key]}
        found["type", measurement, name] = Clash("clash_type", names | topics)
    return list(found.values())


def _renamed(shape: MessageShape, fields: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the tags whose name a message has for a field too, and what that field is called."""
    for tag in sorted(shape.taken):
        name = message_field_name(tag, shape.taken, is_text=False)
        if name in fields:
            yield tag, name


def changed_tags(before: Sequence[MessageShape], after: Sequence[MessageShape]) -> list[Clash]:
    """Find the measurements that points are in already, and that get other tags."""
    earlier = {shape.measurement: shape.taken for shape in before}
    later = {shape.measurement: shape.taken for shape in after}
    return [
        Clash(
            "clash_new_tags",
            {
                "measurement": measurement,
                "before": ", ".join(sorted(earlier[measurement])),
                "after": ", ".join(sorted(tags)),
            },
        )
        for measurement, tags in later.items()
        if tags != earlier.get(measurement, tags)
    ]
