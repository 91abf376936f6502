"""What the WebSocket commands answer, and with that the panel shows."""
