"""The profiles: one module for each."""
