"""The door to the database: line protocol over HTTP, in four dialects."""
