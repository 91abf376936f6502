"""The deadband of an entity: what moves less is not written.

It is for measurements: states that are written as numbers, and no choices. Other states always pass
it, and so does a number in another unit. While a number stays where it is, a change of the other
attributes alone is no reason to write it.
"""

from ..encode.numbers import measurement_of
from ..model import StateLike


def is_within_deadband(deadband: float, domain: str, last: StateLike, new: StateLike) -> bool:
    """Whether a measurement moved less than it has to; what is none always moves.

    What means yes or no is none, nor is a choice, and numbers of two units cannot be compared.
    """
    if not deadband:
        return False
    before, now = measurement_of(domain, last), measurement_of(domain, new)
    if before is None or now is None or abs(now - before) >= deadband:
        return False
    unit = "unit_of_measurement"
    return bool(last.attributes.get(unit) == new.attributes.get(unit))
