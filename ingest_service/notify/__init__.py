"""Carries alarms to people: one notifier a module and one table of them."""
