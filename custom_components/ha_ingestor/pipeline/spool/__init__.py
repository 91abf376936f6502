"""The durable queue on the disk, its progress, and the quarantine beside it."""
