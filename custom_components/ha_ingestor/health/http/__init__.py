"""What the HTTP views answer: health, and metrics for Prometheus."""
