"""What the actions and the buttons do with one destination."""
