"""Long work in the event loop: in slices, and shielded from cancellation."""
