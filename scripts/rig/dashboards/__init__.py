"""The dashboards below `docs/`, made of tables, so that they change together."""
