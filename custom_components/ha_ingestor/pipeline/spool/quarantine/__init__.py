"""What the database refused for good: kept on the disk, shown, replayed or purged."""
