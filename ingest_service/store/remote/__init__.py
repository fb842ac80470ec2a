"""What the stores behind a network share: names, lines, the ledger beside them. What differs is an engine each."""
