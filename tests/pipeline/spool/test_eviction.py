"""Points that are given up, so that new ones find room."""

from unittest.mock import Mock

from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.spool.deferred import Deferred
from custom_components.ha_ingestor.pipeline.spool.eviction import Eviction
from custom_components.ha_ingestor.pipeline.spool.room import Room
from custom_components.ha_ingestor.pipeline.spool.segments.segments import Segments
from custom_components.ha_ingestor.pipeline.spool.sequence import SequenceNumbers


def test_a_segment_that_cannot_be_evicted_makes_no_room_and_is_not_counted() -> None:
    segments = Mock(spec=Segments)
    segments.oldest.return_value = 1
    segments.evict.side_effect = OSError
    room = Mock(spec=Room, keeps_oldest=False)
    numbers = Mock(spec=SequenceNumbers, acked=0)
    ledger = Ledger()
    assert not Eviction(room, segments, numbers, ledger, Deferred()).evict_oldest()
    assert not ledger.evicted_for
    numbers.advance.assert_not_called()
