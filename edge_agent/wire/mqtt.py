"""How Sparkplug messages travel."""

from enum import StrEnum


class MqttVersion(StrEnum):
    """The protocol towards the broker. Version 5 costs more a message and brings nothing that Sparkplug needs."""

    V3_1_1 = "3.1.1"
    V5 = "5"
