"""Compliance reports: a view-model made of what is on record, and its renderings. Owns no data and no clock.

The same records give the same bytes, whenever and wherever a report is made.
"""
