"""Keeps a data-api like the registries."""
