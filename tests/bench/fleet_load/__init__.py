"""The load of the fleet benchmark: edges that speak real Sparkplug, with payloads that are patched in place."""
