"""The parts of `docs/` that are made of tables and of the translations."""
