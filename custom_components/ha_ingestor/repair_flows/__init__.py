"""The repairs that a user can carry out: one module for each."""
