"""A certificate for TLS between the tests and the edge."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(directory: Path) -> Path:
    """A certificate for localhost that vouches for itself, and its key, in one file; without the key beside it (.crt)."""
    file = directory / "edge.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=edge", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", file, "-out", file.with_suffix(".crt")],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file
