"""Real servers and a real Home Assistant to test with."""
