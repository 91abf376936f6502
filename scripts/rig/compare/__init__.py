"""Two homes with the same changes: the built-in integration delivers in one, ours in the other."""
