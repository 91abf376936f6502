"""What may be shown: texts of servers made safe, and our own in the language of the home."""
