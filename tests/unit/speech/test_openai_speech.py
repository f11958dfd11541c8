"""What clients of OpenAI's speech rely on."""

from __future__ import annotations

import aiohttp

from tests.unit.speech.test_gone import Voice, serving


async def test_each_text_that_is_spoken_has_a_name_of_its_own() -> None:
    async with serving(Voice(breaks=True)) as server, aiohttp.ClientSession() as session:
        names = set()
        for _ in range(2):
            answer = await session.post(f"{server}/v1/audio/speech", json={"input": "Hello."})
            names.add(answer.headers["x-request-id"])
            answer.close()
    assert len(names) == 2
