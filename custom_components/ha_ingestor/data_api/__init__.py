"""Keeps a data-api equal to the registries."""
