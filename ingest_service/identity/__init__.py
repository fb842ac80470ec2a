"""Who an edge is at the broker: the centre's own certificate authority, what it issued, and the broker's rules.

The only package that knows `cryptography`. What an edge says is left to `ingest_service.intake`.
"""
