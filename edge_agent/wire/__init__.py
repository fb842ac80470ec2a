"""The contract: what travels between an edge and the centre, and how it is written as Sparkplug B 3.0.

Owns samples, quality reasons, quantities, topics and payloads. Knows neither Modbus nor MQTT clients nor stores.
A field once sent keeps its name and type for ever: edges in the field lag behind the centre.
"""
