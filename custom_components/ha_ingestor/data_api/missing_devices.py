"""Rows that name a device which the server does not have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from .rows import Row, Table
from .sent_rows import SentRows

# The column that names a device.
_LINKS: Final = {Table.DEVICES: "via_device_id", Table.ENTITIES: "device_id"}

type Suspects = Iterable[tuple[Row, str]]


@dataclass(slots=True, kw_only=True)
class MissingDevices:
    """Sends such rows without their device, where the server refuses them with it.

    `devices` is what it has stored of the devices.
    """

    devices: SentRows
    # Today's servers store what names an unknown device without it, older ones refuse it.
    _detaches: bool = False
    # Refused devices that are not there, although they were once: the server has lost them.
    _gone: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """Take every device that was stored once as stored."""
        self._gone.clear()

    def found(self, keys: set[str]) -> None:
        """Note that these devices are there again."""
        self._gone -= keys

    def lacks_device(self, row: Row, suspects: Suspects = ()) -> bool:
        """Whether the device that a row names is not there, since it is refused."""
        key = row.depends_on
        if key is None:
            return False
        return self.devices.is_never_stored(key) or any(one.key == key for one, _ in suspects)

    def as_sent(self, table: Table, row: Row, suspects: Suspects) -> Row:
        """Return a row as it is sent: without its device, if it would be refused with it."""
        is_detached = row.depends_on in self._gone or (
            self._detaches and self.lacks_device(row, suspects)
        )
        return replace(row, content=row.content | {_LINKS[table]: None}) if is_detached else row

    def is_worth_another_try(self, piece: Sequence[Row], suspects: Suspects) -> bool:
        """Whether a refused row may be taken without its device, as it is sent from now on."""
        device = piece[0].depends_on
        if len(piece) > 1 or device is None:
            return False
        if device in self._gone:
            # It is refused without it, too.
            self._gone.discard(device)
            return False
        if self.lacks_device(piece[0], suspects):
            was_tried, self._detaches = self._detaches, True
            return not was_tried
        if device not in self.devices.refused:
            return False
        self._gone.add(device)
        return True
