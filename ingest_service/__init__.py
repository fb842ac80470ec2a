"""Stores what the edges send, judges it against the rules that apply, flags anomalies and calls duty staff."""
