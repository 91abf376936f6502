"""The registries: one snapshot for all subscribers, and their history."""
