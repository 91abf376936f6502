"""The history of the recorder: what happened while nobody listened."""
