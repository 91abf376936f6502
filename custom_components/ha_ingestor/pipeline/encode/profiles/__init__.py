"""What a point looks like: one small module for each profile."""
