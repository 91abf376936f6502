"""A real Home Assistant, real databases, and nothing in between but the integration."""
