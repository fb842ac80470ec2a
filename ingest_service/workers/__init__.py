"""Thin loops, one a step, between intake, store, judging and notification."""
