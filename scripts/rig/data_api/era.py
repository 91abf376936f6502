"""What differs between the servers that homes have: the words of an error, and the database."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Era(StrEnum):
    """The servers that were run and compared."""

    NOVEMBER_2025 = "2025-11"
    TODAY = "today"

    @property
    def is_strict(self) -> bool:
        """Whether the database insists on types: PostgreSQL does, SQLite stores what it gets."""
        return self is Era.TODAY

    @property
    def has_services(self) -> bool:
        """Whether actions can be stored."""
        return self is Era.TODAY

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Say what an endpoint could not do."""
        if self is Era.TODAY:
            return {"detail": message}
        return {
            "success": False,
            "error": message,
            "error_code": f"HTTP_{status}",
            "timestamp": datetime.now(UTC).isoformat(),
        }

    def invalid(self, kind: str) -> dict[str, Any]:
        """Say that the request itself is not understood."""
        detail = [{"type": kind, "loc": ["body"], "msg": "Input is not valid"}]
        if self is Era.NOVEMBER_2025:
            return {"detail": detail}
        message = "Request validation failed"
        return {"error": {"code": "ValidationError", "message": message, "detail": detail}}
