"""The door to HomeIQ's data-api."""
