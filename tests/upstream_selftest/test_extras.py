"""The small endpoints, read by the SDKs: models, embeddings, counts, stored responses, OAuth; and the command."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types
from tests.fake_upstream import FakeUpstream, Text
from tests.upstream_selftest.raw import CHAT, chat, post


async def test_models_in_three_shapes() -> None:
    async with FakeUpstream(model_names=["a", "b"]) as up:
        async with openai.AsyncOpenAI(base_url=up.url + "/v1", api_key="k", max_retries=0) as client:
            assert [x.id async for x in client.models.list()] == ["a", "b"]
            assert (await client.models.retrieve("a")).object == "model"
            with pytest.raises(openai.NotFoundError):
                await client.models.retrieve("zz")
        async with anthropic.AsyncAnthropic(base_url=up.url, api_key="k") as other:
            assert [x.id async for x in other.models.list()] == ["a", "b"]
        google = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=up.url))
        assert [x.name async for x in await google.aio.models.list()] == ["models/a", "models/b"]
        await google.aio.aclose()


async def test_embeddings_agree_in_both_encodings_and_dialects() -> None:
    async with FakeUpstream() as up:
        async with openai.AsyncOpenAI(base_url=up.url + "/v1", api_key="k") as client:
            packed = await client.embeddings.create(model="e", input=["x", "y"])
            plain = await client.embeddings.create(model="e", input="x", encoding_format="float")
            assert [round(v, 4) for v in packed.data[0].embedding] == [round(v, 4) for v in plain.data[0].embedding]
            assert len(packed.data) == 2
        google = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=up.url))
        found = await google.aio.models.embed_content(model="gemini-embedding-001", contents=["x", "y"])
        assert found.embeddings is not None
        assert found.embeddings[0].values == plain.data[0].embedding
        await google.aio.aclose()


async def test_token_counts() -> None:
    async with FakeUpstream() as up:
        async with anthropic.AsyncAnthropic(base_url=up.url, api_key="k") as client:
            counted = await client.messages.count_tokens(model="m", messages=[{"role": "user", "content": "x" * 400}])
            assert counted.input_tokens > 100
        google = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=up.url))
        total = await google.aio.models.count_tokens(model="g", contents="x" * 400)
        assert (total.total_tokens or 0) > 100
        await google.aio.aclose()
        async with openai.AsyncOpenAI(base_url=up.url + "/v1", api_key="k") as other:
            assert (await other.responses.input_tokens.count(model="m", input="x" * 400)).input_tokens > 100
        assert up.violations == []


async def test_stored_responses_live_until_deleted() -> None:
    async with FakeUpstream() as up, openai.AsyncOpenAI(base_url=up.url + "/v1", api_key="k", max_retries=0) as client:
        up.script(Text("one"))
        first = await client.responses.create(model="m", input="first")
        second = await client.responses.create(model="m", input="[[say two]]", previous_response_id=first.id)
        assert (await client.responses.retrieve(first.id)).output_text == "one"
        items = [i async for i in client.responses.input_items.list(second.id, order="asc")]
        assert [i.role for i in items] == ["user", "assistant", "user"]  # type: ignore[union-attr]
        newest = await client.responses.input_items.list(second.id, limit=1)
        assert newest.has_more
        with pytest.raises(openai.BadRequestError, match="Only background responses"):
            await client.responses.cancel(first.id)
        await client.responses.delete(first.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(first.id)
        unstored = await client.responses.create(model="m", input="x", store=False)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(unstored.id)


async def test_compaction_keeps_the_users_words_and_seals_the_rest() -> None:
    async with FakeUpstream() as up, openai.AsyncOpenAI(base_url=up.url + "/v1", api_key="k") as client:
        small = await client.responses.compact(model="m", input=[{"role": "user", "content": "x"}])
        kept, sealed = small.output
        assert (kept.type, sealed.type) == ("message", "compaction")
        again: Any = [i.model_dump(exclude_none=True) for i in small.output]
        again[0]["content"] = [{"type": "input_text", "text": "x"}]
        await client.responses.create(model="m", input=again)


async def test_oauth_tokens_are_issued_demanded_and_revoked() -> None:
    async with FakeUpstream(oauth_required=True) as up:
        form = {"content-type": "application/x-www-form-urlencoded"}
        answer = await post(up.url, "/oauth/token", b"grant_type=client_credentials&client_id=a", form)
        token = json.loads(answer.body)["access_token"]
        assert up.last.body["client_id"] == "a"
        assert (await post(up.url, CHAT, chat())).status == 401
        bearer = {"authorization": f"Bearer {token}"}
        assert (await post(up.url, CHAT, chat(), bearer)).status == 200
        up.tokens.revoke(token)
        assert (await post(up.url, CHAT, chat(), bearer)).status == 401
        renewed = await post(up.url, "/oauth/token", b"grant_type=refresh_token&refresh_token=r", form)
        assert json.loads(renewed.body)["access_token"] in up.tokens.valid
        assert (await post(up.url, "/oauth/token", b"grant_type=refresh_token", form)).status == 400
        up.tokens.failures.append((503, "temporarily_unavailable"))
        assert (await post(up.url, "/oauth/token", b"grant_type=client_credentials", form)).status == 503


async def test_the_command_serves_until_it_is_told_to_stop() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fake_upstream",
        "--protocol",
        "openai-chat",
        "--say",
        "from the command",
        "--log",
        cwd=Path(__file__).parent.parent.parent,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    answer = await post(url, CHAT, chat(stream=False))
    assert b"from the command" in answer.body
    assert (await post(url, "/v1/messages", {})).status == 404
    assert json.loads(await process.stdout.readline())["outcome"] == "complete"
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 0
