"""Long work in the event loop: done to its end, and with room for everything else."""
