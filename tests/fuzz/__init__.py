"""Fuzzing led by coverage: whatever bytes come, nothing raises what it does not say that it raises, hangs or swells."""
