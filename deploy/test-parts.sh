#!/bin/sh
# Installs what the tests need from Debian: a broker, a proxy, a browser, Chinese fonts and PostgreSQL, of which no cluster is made.
# Two other database servers are only unpacked into .parts/. Nothing of them runs outside the tests. Says clearly when it cannot.
set -eu
here="$(cd "$(dirname "$0")/.." && pwd)"
missing=""
command -v mosquitto >/dev/null 2>&1 || [ -x /usr/sbin/mosquitto ] || missing="$missing mosquitto"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
fc-list 2>/dev/null | grep -qi "CJK" || missing="$missing fonts-noto-cjk fontconfig"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
unpack=""
for pair in influxd:influxdb victoria-metrics:victoria-metrics; do
    command -v "${pair%:*}" >/dev/null 2>&1 || [ -x "$here/.parts/usr/bin/${pair%:*}" ] || unpack="$unpack ${pair#*:}"
done
[ -n "$missing$unpack" ] || exit 0
root=""
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then root=yes; fi
if [ -n "$root" ]; then
    echo "Installing for the tests:$missing$unpack"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
fi
if [ -n "$missing" ] && [ -n "$root" ]; then
    case "$missing" in *" postgresql"*)
        apt-get install -y -qq --no-install-recommends postgresql-common >/dev/null
        sed -i 's/^#* *create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
    esac
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
    missing=""
fi
if [ -n "$unpack" ] && command -v apt-get >/dev/null 2>&1; then
    folder="$(mktemp -d)"
    trap 'rm -rf "$folder"' EXIT
    if (cd "$folder" && apt-get download -qq $unpack >/dev/null 2>&1); then
        mkdir -p "$here/.parts"
        for package in "$folder"/*.deb; do
            dpkg-deb --fsys-tarfile "$package" | tar -x -C "$here/.parts" ./usr/bin
        done
        unpack=""
    fi
fi
if [ -n "$missing$unpack" ]; then
    echo "The tests need these Debian packages:$missing$unpack" >&2
    echo "Install them as root (apt-get install$missing$unpack), or run make test as root." >&2
    [ -z "${CI:-}" ] || exit 1
fi
