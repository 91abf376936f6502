"""Tests of the pipeline, without Home Assistant."""
