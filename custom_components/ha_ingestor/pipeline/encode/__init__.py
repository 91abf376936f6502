"""Points as text: line protocol, and what may be in it."""
