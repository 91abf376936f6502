"""Enriches events with data from the registries: the EntityContext of each entity."""
