"""What the registries say: read once for everybody who follows them, and its history."""
