"""The options of a destination: one module for each page of the dialogue."""
