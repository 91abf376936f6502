"""The history of the recorder."""
