"""From the spool to the database: requests, their answers, and when to try again."""
