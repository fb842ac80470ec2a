"""Flags what is not normal: one detector a module and one table of them. Pure."""
