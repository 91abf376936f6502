"""The client of HomeIQ's data-api."""
