"""Device types as data: one TOML profile each, and the code that reads and checks a profile.

A new device type is a new file here, or beside the site file; no code changes.
"""
