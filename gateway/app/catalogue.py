"""The way from the gateway to the agents: by name, at run time, and only to the `agents` that lie beside it."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

import gateway
from gateway.errors import SetupFault
from gateway.terms.catalogue import Catalogue


def load() -> Catalogue:
    """Every agent's card, by name. Cheap: it loads no AI engine.

    Raises SetupFault when `agents` is missing, is another distribution's package, or can't be loaded.
    """
    catalogue: Catalogue = registry().catalogue()
    return catalogue


def registry() -> ModuleType:
    """The module `agents.registry`. Raises SetupFault as `load` does."""
    beside = Path(gateway.__file__).resolve().parents[1] / "agents"
    found = importlib.util.find_spec("agents")
    places = [Path(place).resolve() for place in (found.submodule_search_locations or [])] if found else []
    if beside not in places:
        where = f"comes from {places[0].parent}" if places else "can't be found"
        raise SetupFault(
            f"The package `agents` {where}; it must lie beside `gateway`, in {beside.parent}.",
            remedy="Run offhook from its own virtual environment (make setup).",
        )
    try:
        return importlib.import_module("agents.registry")
    except (ImportError, ValueError, TypeError) as bad:
        raise SetupFault(f"The agents can't be loaded: {bad}.", remedy="Correct the file it names.") from bad
