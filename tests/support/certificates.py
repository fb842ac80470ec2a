"""Certificates made for one test run: a server's and a client's, each its own authority."""

import subprocess
from pathlib import Path

import msgspec


class Certificate(msgspec.Struct, frozen=True):
    cert: str
    key: str


class Certificates(msgspec.Struct, frozen=True):
    server: Certificate
    client: Certificate


def make_certificates(folder: Path) -> Certificates:
    """On elliptic curves, so that a test may connect often."""
    return Certificates(_made(folder, "server"), _made(folder, "client"))


def _made(folder: Path, name: str) -> Certificate:
    made = Certificate(str(folder / f"{name}.pem"), str(folder / f"{name}.key"))
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command = ["openssl", "req", "-x509", *curve, "-nodes", "-days", "1", "-keyout", made.key, "-out", made.cert]
    subprocess.run([*command, *subject], check=True, capture_output=True)
    return made
