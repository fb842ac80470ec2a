"""Judges emissions: reference oxygen, averaging periods, limits. Pure functions over numpy columns; limits are data."""
