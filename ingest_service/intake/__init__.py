"""Hears the edges over MQTT as a Sparkplug host and decides, sample by sample, what is admitted. Owns no storage."""
