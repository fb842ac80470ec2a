"""Reads cremation equipment over Modbus (read only) and publishes it as Sparkplug B over MQTT."""
