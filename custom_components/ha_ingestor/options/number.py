"""A number in a form, with both bounds for input and for stored values."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, override

import voluptuous as vol
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    ObjectSelector,
)

OUT_OF_RANGE: Final = "out_of_range"
NOT_WHOLE: Final = "not_whole"


def grouped(value: float) -> str:
    """Write a number with a space between thousands, which no language takes for a decimal."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


class OptionError(ValueError):
    """An option that cannot be used: the field, and a slug that says why.

    Where a field has several values, `invalid_value` is the one; the sentence may use it, and
    `more`.
    """

    def __init__(
        self,
        field: str,
        reason: str,
        invalid_value: str = "",
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Name the field and the reason."""
        super().__init__(reason)
        self.field = field
        self.reason = reason
        self.invalid_value = invalid_value
        self.more = more or {}


class Number(NumberSelector):
    """A box for a number with both bounds.

    The selector takes any number, so that the page refuses it, which can say why in the user's
    language. With a step of 1 it is stored as a whole number.
    """

    def __init__(
        self,
        minimum: float,
        maximum: float,
        *,
        step: Literal["any"] | float = "any",
        unit: str = "",
        too_small: str = OUT_OF_RANGE,
    ) -> None:
        """Set the bounds; `too_small` is the reason given below the lower one."""
        config = NumberSelectorConfig(
            min=minimum, max=maximum, step=step, mode=NumberSelectorMode.BOX
        )
        if unit:
            config["unit_of_measurement"] = unit
        super().__init__(config)
        self._bounds = minimum, maximum
        self._kind = int if step == 1 else float
        self._too_small = too_small

    @override
    def __call__(self, data: Any) -> float:
        try:
            return float(data)
        except (OverflowError, TypeError, ValueError) as err:
            raise vol.Invalid("expected a number") from err

    def accepted(self, field: str, entered: Any) -> float:
        """Return what to store; raises OptionError for what is not between the bounds, or whole."""
        value = float(entered)
        minimum, maximum = self._bounds
        if minimum <= value <= maximum:
            if self._kind is int and not value.is_integer():
                raise OptionError(field, NOT_WHOLE)
            return self._kind(value)
        reason = self._too_small if value < minimum else OUT_OF_RANGE
        raise OptionError(field, reason, more={"min": grouped(minimum), "max": grouped(maximum)})

    def bounded(self, stored: Any, default: Any) -> Any:
        """Return a stored number, or the bound it is beyond; what is no number is the default."""
        try:
            # A number too large for a float is compared as it is.
            value = stored if isinstance(stored, int) else float(stored)
        except TypeError, ValueError:
            return default
        minimum, maximum = self._bounds
        if isinstance(value, float) and math.isnan(value):
            return default
        return self._kind(minimum if value < minimum else min(value, maximum))


def _rows(selector: Any) -> Mapping[str, Number]:
    """Return the numbers in each row of a list of objects; nothing for what is no such list."""
    fields = selector.config.get("fields", {}) if isinstance(selector, ObjectSelector) else {}
    return {
        name: field["selector"]
        for name, field in fields.items()
        if isinstance(field["selector"], Number)
    }


def _fields(schema: vol.Schema) -> Iterator[tuple[str, Any]]:
    for marker, selector in schema.schema.items():
        yield str(marker), selector


def accepted_numbers(schema: vol.Schema, entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return a filled-in form with every number as it is stored; raises OptionError."""
    page = dict(entered)
    for name, selector in _fields(schema):
        if name not in page:
            continue
        if isinstance(selector, Number):
            page[name] = selector.accepted(name, page[name])
        elif numbers := _rows(selector):
            label = selector.config.get("label_field", "")
            page[name] = [
                _accepted_row(name, row, str(row.get(label) or position), numbers)
                for position, row in enumerate(page[name], 1)
            ]
    return page


def _accepted_row(
    field: str, row: Mapping[str, Any], label: str, numbers: Mapping[str, Number]
) -> dict[str, Any]:
    """Refuse a number with a reason that names it, and the row by its label or position."""
    accepted = dict(row)
    for name, number in numbers.items():
        try:
            if name in row:
                accepted[name] = number.accepted(field, row[name])
        except OptionError as err:
            raise OptionError(field, f"{name}_out_of_range", label, err.more) from err
    return accepted


def bounded_numbers(
    schema: vol.Schema, stored: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is stored with every number between its bounds; others are the defaults.

    An earlier version stored any number, however large.
    """
    page = dict(stored)
    for name, selector in _fields(schema):
        if name not in page:
            continue
        if isinstance(selector, Number):
            page[name] = selector.bounded(page[name], defaults.get(name))
        elif numbers := _rows(selector):
            page[name] = [
                {
                    key: numbers[key].bounded(value, 0) if key in numbers else value
                    for key, value in row.items()
                }
                for row in page[name]
            ]
    return page
