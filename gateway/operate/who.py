"""Who does something to the gateway, for the audit."""

from __future__ import annotations

import getpass
import os


def author() -> str:
    """The operator's name: OFFHOOK_AUTHOR, else the system's user."""
    try:
        return os.environ.get("OFFHOOK_AUTHOR", "").strip() or getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"uid {os.getuid()}"
