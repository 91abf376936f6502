"""What must hold however the process, the disk, the network, the server or the clock behaves."""
