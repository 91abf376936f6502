"""One destination: built from its entry, reloaded, removed."""
