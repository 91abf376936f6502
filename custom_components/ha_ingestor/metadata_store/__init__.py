"""The registries, present and past, in SQLite. No import of Home Assistant."""
