"""What can go wrong, and how a user is told."""
