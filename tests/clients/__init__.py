"""Tests of the clients, against real servers on loopback."""
