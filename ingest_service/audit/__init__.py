"""The audit trail as it is proved: what an entry holds, its bytes, the chain of hashes, and what breaks it.

Where records are kept is left to `ingest_service.store.audit`.
"""
