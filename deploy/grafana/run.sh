#!/bin/sh
# Starts Grafana with what lies in this folder: an installed one if there is one, else a container.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export STORE="${STORE:-service}"
if [ ! -d "$here/$STORE" ]; then
    echo "STORE=$STORE is unknown; allowed: service, influxdb, victoriametrics" >&2
    exit 2
fi
if command -v grafana >/dev/null 2>&1; then
    export CLEARSTACK_URL="${CLEARSTACK_URL:-http://127.0.0.1:8080}" CLEARSTACK_KEY="${CLEARSTACK_KEY:-}"
    export CLEARSTACK_ALERTS_URL="${CLEARSTACK_ALERTS_URL:-http://127.0.0.1:8080}"
    export CLEARSTACK_ALERTS_KEY="${CLEARSTACK_ALERTS_KEY:-$CLEARSTACK_KEY}"
    export CLEARSTACK_WATCH="${CLEARSTACK_WATCH:-}" CLEARSTACK_WATCH_MAIL="${CLEARSTACK_WATCH_MAIL:-}"
    export CLEARSTACK_WATCH_HOOK="${CLEARSTACK_WATCH_HOOK:-}"
    export CLEARSTACK_BUCKET="${CLEARSTACK_BUCKET:-clearstack}" CLEARSTACK_DASHBOARDS="$here/../../dashboards/json"
    export GF_PATHS_PROVISIONING="$here/$STORE" GF_PATHS_DATA="${GF_PATHS_DATA:-$here/../../.grafana}"
    export GF_SERVER_HTTP_ADDR="${GF_SERVER_HTTP_ADDR:-127.0.0.1}"
    exec grafana server --homepath "${GRAFANA_HOME:-/usr/share/grafana}"
fi
if docker compose version >/dev/null 2>&1; then
    exec docker compose -f "$here/compose.yaml" up
fi
echo "Neither grafana nor docker compose is on this machine. Install Grafana 11.6 or newer and run this again, or point your own" >&2
echo "Grafana at $here/$STORE (GF_PATHS_PROVISIONING) as $here/README.md says." >&2
exit 1
