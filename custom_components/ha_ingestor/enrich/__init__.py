"""From the registries, and what else is known of the home, to what points say of an entity."""
