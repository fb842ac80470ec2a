"""Benchmarks that anyone can run: `make bench ONLY=name ARGS=...`."""
