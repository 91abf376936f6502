"""What entities have in common, and their descriptions."""
