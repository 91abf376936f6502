"""Other Home Assistants as sources."""
