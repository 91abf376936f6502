"""What is known of the destinations, for all who ask: repairs, reports, metrics, previews."""
