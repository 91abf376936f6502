"""The client of the database: line protocol over HTTP, in four dialects."""
