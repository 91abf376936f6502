"""Tests of HA Ingestor."""
