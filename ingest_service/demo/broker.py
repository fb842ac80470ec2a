"""The demo's MQTT broker: mosquitto when it is on the machine, else the embedded one."""

import sys
from pathlib import Path

from ingest_service.demo.processes import Processes, find_mosquitto

CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 100000
"""


def start_broker(processes: Processes, folder: Path, port: int) -> str:
    """Start a broker on a loopback port; return what to tell the user about it."""
    mosquitto = find_mosquitto()
    if mosquitto:
        file = folder / "mosquitto.conf"
        file.write_text(CONFIGURATION.format(port=port))
        processes.start("broker", mosquitto, "-c", str(file))
        return f"broker: mosquitto on 127.0.0.1:{port}"
    processes.start("broker", sys.executable, "-m", "ingest_service.demo.embedded_broker", str(port))
    return f"broker: the embedded one (amqtt) on 127.0.0.1:{port}, because mosquitto is not installed"
