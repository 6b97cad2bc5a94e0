"""`/daemon/…` on a gateway on a real socket: who may ask, what is read, what is answered where nobody can act."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from routecodex.blocks.control_plane.commands import ARGUMENTS
from routecodex.blocks.http_adapter.daemon import COMMANDS, MAX_BODY
from tests.host.dataplane import gateway
from tests.host.dataplane.gateway import Host, compiled, host, provider


class Supervisor:
    """What stands at the other end of the link: keeps what it is asked, and says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any], str]] = []
        self.status = 200

    async def __call__(self, name: str, arguments: bytes, actor: str) -> tuple[int, bytes]:
        self.asked.append((name, msgspec.json.decode(arguments), actor))
        return self.status, msgspec.json.encode({"command": name, "id": "c1", "state": "done"})


@asynccontextmanager
async def running(tmp_path: Path, supervisor: Supervisor | None, **settings: Any) -> AsyncIterator[Host]:
    config = compiled(tmp_path, (provider("a", "http://127.0.0.1:9"),), **settings)
    async with host(config) as served:
        served.gateway.overview._commands = supervisor
        yield served


def authorised(served: Host) -> dict[str, str]:
    return {"authorization": f"Bearer {served.admin_token}"}


async def asked(
    served: Host, http: aiohttp.ClientSession, method: str, path: str, *, data: Any = None, **headers: str
) -> tuple[int, Any, Any]:
    """(status, JSON, headers)."""
    given = {"content-type": "application/json", **authorised(served), **headers}
    async with http.request(method, served.url + path, data=data, headers=given) as answer:
        return answer.status, await answer.json(), answer.headers


@pytest.fixture(autouse=True, params=list(gateway.ADAPTERS))
def adapter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in here holds on both sides of `hostBlocks.httpAdapter`."""
    monkeypatch.setattr(gateway, "adapter", request.param)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


_FILLED: dict[tuple[str, str], dict[str, Any]] = {
    ("PUT", "/daemon/switches/{key}"): {"value": "v1"},
    ("DELETE", "/daemon/switches"): {"all": True},
    ("POST", "/daemon/rollback"): {"key": "controlBus"},
}
"""What a command cannot do without, besides what its path says."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: f"{each.method} {each.path}")
async def test_every_route_hands_its_command_to_the_supervisor(
    tmp_path: Path, http: aiohttp.ClientSession, command: Any
) -> None:
    supervisor = Supervisor()
    async with running(tmp_path, supervisor) as served:
        path = command.path.replace("{key}", "hostBlocks.controlPlane")
        given = _FILLED.get((command.method, command.path), {})
        data = json.dumps(given) if command.body else None
        status, body, headers = await asked(served, http, command.method, path, data=data)
    assert (status, body["state"], headers["cache-control"]) == (200, "done", "no-store")
    ((name, arguments, actor),) = supervisor.asked
    assert (name, actor) == (command.name, "http:127.0.0.1")
    assert arguments == {**given, **({"key": "hostBlocks.controlPlane"} if "{" in command.path else {})}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: f"{each.method} {each.path}")
async def test_every_route_asks_for_the_admin_token(tmp_path: Path, http: aiohttp.ClientSession, command: Any) -> None:
    supervisor = Supervisor()
    async with running(tmp_path, supervisor) as served:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": served.admin_token}):
            async with http.request(command.method, served.url + command.path, headers=headers) as answer:
                assert answer.status == 401
                error = (await answer.json())["error"]
                assert error["code"] == "admin_token_required"
                assert error["nextStep"]
                assert answer.headers["www-authenticate"].startswith("Bearer")
    assert supervisor.asked == []


async def test_a_data_plane_key_opens_nothing(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    from routecodex.config.compiled import ApiKey
    from routecodex.config.secret import Secret

    keys = (ApiKey("alice", Secret("client-key", "${KEY}")),)
    async with running(tmp_path, Supervisor(), api_keys=keys) as served:
        headers = {"authorization": "Bearer client-key", "x-api-key": "client-key"}
        async with http.get(served.url + "/daemon/status", headers=headers) as answer:
            assert answer.status == 401


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}])
async def test_a_foreign_host_or_origin_is_refused_even_with_the_token(
    tmp_path: Path, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    supervisor = Supervisor()
    async with running(tmp_path, supervisor) as served:
        status, body, _ = await asked(served, http, "POST", "/daemon/rollback", data='{"all": true}', **headers)
    assert (status, body["error"]["code"]) == (403, f"foreign_{next(iter(headers))}")
    assert supervisor.asked == []


async def test_the_admin_surface_can_be_switched_off(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    from routecodex.config.compiled import AdminSettings

    config = compiled(tmp_path, (provider("a", "http://127.0.0.1:9"),))
    token = Path(config.server.admin.token_file)
    off = msgspec.structs.replace(config.server, admin=AdminSettings(False, str(token)))
    token.parent.mkdir(parents=True)
    token.write_text("x" * 20)  # noqa: ASYNC240 - what the fixture reads
    async with host(msgspec.structs.replace(config, server=off)) as served:
        status, body, _ = await asked(served, http, "GET", "/daemon/status")
    assert (status, body["error"]["code"]) == (404, "admin_disabled")


async def test_without_a_supervisor_commands_are_answered_with_the_next_step(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with running(tmp_path, None) as served:
        status, body, _ = await asked(served, http, "POST", "/daemon/rollback", data='{"all": true}')
    assert status == 503
    assert (body["command"], body["state"]) == ("switch.rollback", "refused")
    assert "without a supervisor" in body["reason"]
    assert "routecodex start" in body["nextStep"]


async def test_the_header_if_match_is_the_argument(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    supervisor = Supervisor()
    async with running(tmp_path, supervisor) as served:
        await asked(served, http, "POST", "/daemon/config/apply", **{"if-match": '"abc123"'})
        await asked(
            served, http, "PUT", "/daemon/switches/controlBus", data='{"value": "v1"}', **{"if-match": "abc123"}
        )
        status, body, _ = await asked(
            served, http, "POST", "/daemon/config/apply", data='{"ifMatch": "other"}', **{"if-match": "abc123"}
        )
    assert [arguments["ifMatch"] for _, arguments, _ in supervisor.asked] == ["abc123", "abc123"]
    assert (status, body["error"]["code"]) == (400, "bad_command")


async def test_the_actor_is_named_by_the_token_holder_and_by_its_address(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    supervisor = Supervisor()
    async with running(tmp_path, supervisor) as served:
        await asked(served, http, "GET", "/daemon/status", **{"x-routecodex-actor": "alice\tin ops" + "x" * 200})
    actor = supervisor.asked[0][2]
    assert actor.startswith("alicein opsxxx")
    assert actor.endswith("x (http:127.0.0.1)")
    assert len(actor) < 110


async def test_query_arguments_reach_the_ledger_command(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    supervisor = Supervisor()
    async with running(tmp_path, supervisor) as served:
        await asked(served, http, "GET", "/daemon/ledger?since=7&kind=commit")
        refused = await asked(served, http, "GET", "/daemon/ledger?from=7")
        bad = await asked(served, http, "GET", "/daemon/ledger?since=yesterday")
    assert supervisor.asked[0][1] == {"since": 7, "kind": "commit"}
    assert (refused[0], refused[1]["error"]["code"]) == (400, "bad_command")
    assert (bad[0], bad[1]["state"]) == (400, "refused")


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/daemon/nothing", "GET", 404, "unknown_command"),
        ("/daemon/", "GET", 404, "unknown_command"),
        ("/daemon/switches/", "GET", 404, "unknown_command"),
        ("/daemon/switches/a/b", "GET", 404, "unknown_command"),
        ("/daemon/status", "POST", 405, "method_not_allowed"),
        ("/daemon/switches/controlBus", "POST", 405, "method_not_allowed"),
    ],
)
async def test_other_paths_and_methods_are_told(
    tmp_path: Path, http: aiohttp.ClientSession, path: str, method: str, status: int, code: str
) -> None:
    async with running(tmp_path, Supervisor()) as served:
        found, body, headers = await asked(served, http, method, path)
    assert (found, body["error"]["code"]) == (status, code)
    assert body["error"]["nextStep"]
    if status == 405:
        assert headers["allow"] in ("GET", "GET, PUT, DELETE")


@pytest.mark.parametrize(
    "data", ["{", "[]", "7", "[" * 5000, '{"value": 7}', '{"value": "v1", "odd": 1}', '{"value": "v1", "key": "other"}']
)
async def test_arguments_that_do_not_fit_are_a_400(tmp_path: Path, http: aiohttp.ClientSession, data: str) -> None:
    supervisor = Supervisor()
    async with running(tmp_path, supervisor) as served:
        status, body, _ = await asked(served, http, "PUT", "/daemon/switches/controlBus", data=data)
    assert status == 400
    told = body.get("error", body)
    assert told["nextStep"]
    assert supervisor.asked == []


@pytest.mark.parametrize("data", ["{}", '{"key": "controlBus", "all": true}'])
async def test_a_rollback_names_one_switch_or_all(tmp_path: Path, http: aiohttp.ClientSession, data: str) -> None:
    async with running(tmp_path, Supervisor()) as served:
        status, body, _ = await asked(served, http, "POST", "/daemon/rollback", data=data)
    assert (status, body["state"]) == (400, "refused")


async def test_bodies_are_bounded(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with running(tmp_path, Supervisor()) as served:
        fits = json.dumps({"all": True, "reason": "r" * (MAX_BODY - 100)})
        assert (await asked(served, http, "POST", "/daemon/rollback", data=fits))[0] == 200
        status, body, _ = await asked(served, http, "POST", "/daemon/rollback", data=b" " * (MAX_BODY + 1))
    assert (status, body["error"]["code"]) == (413, "request_too_large")
    assert "maxBodyBytes" not in body["error"]["nextStep"]


async def test_a_form_is_no_command(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    supervisor = Supervisor()
    async with running(tmp_path, supervisor) as served:
        status, _, _ = await asked(
            served, http, "POST", "/daemon/rollback", data='{"all": true}', **{"content-type": "text/plain"}
        )
    assert status == 415
    assert supervisor.asked == []


async def test_commands_are_taken_while_no_more_requests_are(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with running(tmp_path, Supervisor()) as served:
        served.gateway.application.stop_accepting()
        assert (await asked(served, http, "GET", "/daemon/status"))[0] == 200


def test_every_route_has_a_command_with_arguments_and_the_other_way_round() -> None:
    assert {command.name for command in COMMANDS} == set(ARGUMENTS)
