"""Tests of the messages of a broker."""
