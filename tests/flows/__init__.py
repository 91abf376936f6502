"""Tests of the dialogue that connects a database."""
