"""What the registries said and say, kept in SQLite. Knows nothing of Home Assistant."""
