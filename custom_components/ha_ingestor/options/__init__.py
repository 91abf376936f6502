"""How a destination behaves: one module for each page of the dialogue, and what it means."""
