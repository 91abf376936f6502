"""What is worth a point: from what was received to what is encoded."""
