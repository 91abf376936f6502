"""What a database learns of its measurements, line by line, and where lines contradict it."""

from dataclasses import dataclass, field

from tests.emulator.line_protocol import BadLine, parse

TAG = "tag"


@dataclass(slots=True, kw_only=True)
class Schema:
    """The kinds of the names of each measurement: a tag, or the type of a field."""

    kinds: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def read(self, line: str) -> None:
        """Learn from a line; raises ValueError for one that no server takes."""
        (point,) = parse(line.encode("utf-8", "replace").decode())
        if isinstance(point, BadLine):
            raise ValueError(point)  # noqa: TRY004  it is what the line says that is wrong
        measurement, tags = point.series
        for name, _ in tags:
            self.kinds.setdefault((measurement, name), set()).add(TAG)
        for name, value in point.fields.items():
            self.kinds.setdefault((measurement, name), set()).add(type(value).__name__)

    @property
    def contradictions(self) -> dict[tuple[str, str], set[str]]:
        """The names that were more than one kind."""
        return {name: kinds for name, kinds in self.kinds.items() if len(kinds) > 1}
