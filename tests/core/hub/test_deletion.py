"""DELETE of a stored response: who is asked, in what order, and what counts as gone."""

from __future__ import annotations

import pytest

from llmswitch_core.canonical.errors import ErrorKind, GatewayError, kind_of_status
from llmswitch_core.canonical.model import Protocol
from llmswitch_core.hub import deletion
from llmswitch_core.hub.exchange import Exchange, Inbound
from llmswitch_core.hub.responses_state import StoredResponse
from llmswitch_core.protocols.contract import RequestHead
from tests.core.hub.support import Bench


def asked(bench: Bench, store: bool | None, account: str = "me", issuer: str = "responses.main.m") -> Exchange:
    """A DELETE of `resp_ours`, which the upstream calls `resp_theirs`; `store` is what its answer said of keeping."""
    body = {"id": "resp_ours"} if store is None else {"id": "resp_ours", "store": store}
    bench.responses.put(
        StoredResponse("resp_ours", account, 1, [], body, provider_key=issuer, upstream_id="resp_theirs")
    )
    head = RequestHead("DELETE", "/v1/responses/resp_ours", {}, {})
    inbound = Inbound("req_1", Protocol.OPENAI_RESPONSES, "forward", head, b"", "me", response_id="resp_ours")
    return bench.pipeline.admit(inbound, bench.surroundings)


def refusal(status: int) -> GatewayError:
    return GatewayError(kind_of_status(status), "upstream_error", "No.", status=status)


@pytest.mark.parametrize("store", [True, None])
def test_the_upstream_is_asked_by_its_own_id_and_our_copy_stays(store: bool | None) -> None:
    bench = Bench()
    plan = bench.plan(asked(bench, store))
    assert plan.upstream is not None
    assert (plan.upstream.method, plan.upstream.path) == ("DELETE", "/responses/resp_theirs")
    assert "resp_ours" in bench.responses.entries


def test_what_the_upstream_never_kept_is_deleted_here_alone() -> None:
    bench = Bench()
    plan = bench.plan(asked(bench, False))
    assert plan.upstream is None
    assert plan.answer == b'{"id":"resp_ours","object":"response","deleted":true}'
    assert bench.responses.entries == {}


@pytest.mark.parametrize(
    ("status", "store", "gone"),
    [
        (404, True, True),
        (404, None, True),
        (405, None, True),
        (501, None, True),
        (405, True, False),
        (501, True, False),
        (400, None, False),
        (401, None, False),
        (500, None, False),
    ],
)
def test_what_counts_as_gone_upstream(status: int, store: bool | None, gone: bool) -> None:
    bench = Bench()
    exchange = asked(bench, store)
    plan = bench.plan(exchange)
    assert bench.pipeline.recover(exchange, plan, refusal(status)) is gone
    assert (bench.plan(exchange).upstream is None) is gone
    assert ("resp_ours" in bench.responses.entries) is not gone


def test_a_success_deletes_our_copy_through_its_outcome() -> None:
    bench = Bench()
    exchange = asked(bench, True)
    way = bench.way(exchange, bench.plan(exchange), "application/json")
    way.feed(b'{"id":"resp_theirs","object":"response","deleted":true}')
    assert way.end() == b'{"id":"resp_ours","object":"response","deleted":true}'
    assert way.outcome().delta.deleted == "resp_ours"


def test_a_body_that_denies_the_deletion_is_a_failure() -> None:
    bench = Bench()
    exchange = asked(bench, True)
    way = bench.way(exchange, bench.plan(exchange), "application/json")
    way.feed(b'{"id":"resp_theirs","deleted":false}')
    assert way.end() == b""
    assert way.failure is not None
    assert way.outcome().delta.deleted == ""


def test_a_failure_keeps_kind_and_code_and_says_what_is_left_where() -> None:
    bench = Bench()
    exchange = asked(bench, True)
    error = GatewayError(
        ErrorKind.RATE_LIMIT, "upstream_error", "Slow down.", retry_after=3.0, vendor_body=b"{}", next_step="Wait."
    )
    told = bench.pipeline.told(exchange, bench.plan(exchange), error)
    assert (told.kind, told.code, told.status, told.retry_after) == (error.kind, error.code, 429, 3.0)
    assert told.vendor_body is None, "the vendor's own words would hide ours"
    assert "'resp_ours'" in told.message
    assert "'resp_theirs'" in told.message
    assert (told.next_step or "").startswith("Wait. Send the DELETE again")


@pytest.mark.parametrize("issuer", ["nobody.main.m", "responses.other-key.m", "chat.main.m", ""])
def test_an_issuer_that_is_not_configured_is_named_and_nobody_else_is_asked(issuer: str) -> None:
    bench = Bench()
    with pytest.raises(GatewayError) as refused:
        bench.plan(asked(bench, True, issuer=issuer))
    assert refused.value.code == "issuer_not_configured"
    assert "resp_ours" in bench.responses.entries


def test_another_accounts_response_does_not_exist() -> None:
    bench = Bench()
    with pytest.raises(GatewayError) as refused:
        bench.plan(asked(bench, True, account="somebody else"))
    assert refused.value.code == "response_not_found"
    assert "resp_ours" in bench.responses.entries


def test_gone_is_said_of_deletes_only() -> None:
    bench = Bench()
    exchange = asked(bench, True)
    head = RequestHead("POST", "/v1/responses/resp_ours/cancel", {}, {})
    inbound = Inbound("req_1", Protocol.OPENAI_RESPONSES, "forward", head, b"", "me", response_id="resp_ours")
    assert not deletion.take_as_gone(Exchange(inbound, exchange.surroundings), refusal(404))
