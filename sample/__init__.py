"""Builds a real-looking district and lives a day in it through the public HTTP API."""
