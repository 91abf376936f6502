"""What becomes of the registries outside Home Assistant: no Home Assistant in here."""
