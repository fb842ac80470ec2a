"""The load of the fleet benchmark: edges that speak real Sparkplug, cheaply, because their payloads are patched in place."""
