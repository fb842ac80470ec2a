"""What `ingest-service` can be told to do, one module a command."""
