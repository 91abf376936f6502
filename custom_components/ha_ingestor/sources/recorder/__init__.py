"""The history of the recorder: what happened in gaps, and what a user asks for."""
