"""What developing and testing needs; no part of the integration."""
