"""Runs baresip (Debian's baresip-core), a SIP phone that nobody here wrote."""

from __future__ import annotations

import asyncio
import shutil
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from tests.e2e.servers import free_port
from tests.e2e.sipp import hostport

_CONFIG = """\
sip_listen {listen}
sip_certificate {certificate}
sip_cafile {authority}
audio_source aufile,{spoken}
audio_player aufile,{played}
audio_alert aufile,{alert}
ausrc_srate {rate}
auplay_srate {rate}
rtp_ports {rtp}-{rtp_last}
module_path /usr/lib/baresip/modules
module {codec}.so
module aufile.so
module srtp.so
{more}module_app account.so
module_app menu.so
"""


class Baresip:
    """A phone that is off its hook; it says a tone."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process, self.log = process, log

    def heard(self) -> np.ndarray:
        """What it has heard so far, at its codec's rate; nothing where it doesn't `listen`."""
        data = b"".join(file.read_bytes()[44:] for file in self.log.parent.glob("dump-*-dec.wav"))
        return np.frombuffer(data[: len(data) // 2 * 2], "<i2")

    def said(self) -> str:
        """What it has printed."""
        return self.log.read_text(errors="replace")

    async def hang_up(self) -> None:
        """End the call, and the program."""
        self.process.terminate()
        async with asyncio.timeout(5):
            await self.process.wait()


def _tone(file: Path, frequency: float, rate: int, seconds: float = 30.0) -> Path:
    """A WAV file of a tone: what the phone says."""
    times = np.arange(int(rate * seconds)) / rate
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((8000 * np.sin(2 * np.pi * frequency * times)).astype("<i2").tobytes())
    return file


@asynccontextmanager
async def baresip(
    directory: Path,
    dial: str,
    certificate: Path,
    authority: Path,
    local: str = "127.0.0.1",
    *,
    prefer_ipv6: bool = True,
    srtp: bool = False,
    codec: str = "g711",
    tone: float = 440.0,
    listen: bool = False,
) -> AsyncIterator[Baresip]:
    """A phone that dials a SIP URI at once; ended with the context. `certificate`: PEM with its key; `authority`: PEM
    that vouches for its peer. Without `prefer_ipv6` its media is IPv4, whatever `local` is. `srtp`: it has encrypted media only. `codec`: its
    module's name. `tone`: Hz. `listen`: keep what it hears."""
    rate = 16000 if codec == "g722" else 8000
    binary = shutil.which("baresip")
    assert binary, "baresip isn't installed (Debian: baresip-core)"
    directory.mkdir(parents=True)
    port, rtp = free_port(local), 2 * (free_port(local) // 2)
    log = directory / "baresip.log"
    fill = {"listen": hostport((local, port)), "certificate": certificate, "authority": authority, "played": directory / "played.wav",
            "alert": directory / "alert.wav", "spoken": _tone(directory / "spoken.wav", tone, rate), "rtp": rtp, "rtp_last": rtp + 10, "codec": codec, "rate": rate,
            "more": f"module sndfile.so\nsnd_path {directory}\n" if listen else ""}  # fmt: skip
    (directory / "config").write_text(_CONFIG.format(**fill))
    (directory / "accounts").write_text(
        f"<sip:+15105550123@{hostport((local, port))};transport=tls>;regint=0;answermode=manual{';mediaenc=srtp-mand' if srtp else ''}\n"
    )
    (directory / "contacts").write_text("")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            binary, "-f", str(directory), "-e", f"/dial {dial}", "-t", "60", *(["-6"] if prefer_ipv6 and ":" in local else []),
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield Baresip(process, log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
