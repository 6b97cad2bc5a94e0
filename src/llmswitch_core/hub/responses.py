"""Responses state on the pipeline's way: what `previous_response_id` means for routing and for the body."""

from __future__ import annotations

from llmswitch_core.canonical.model import Conversation, JsonValue
from llmswitch_core.hub.exchange import Exchange
from llmswitch_core.router.contract import RoutingTable, Target


def issuer_of(exchange: Exchange) -> str | None:
    """provider_key of the target that issued the response this request continues."""
    return None


def with_previous(exchange: Exchange, conversation: Conversation) -> Conversation:
    return conversation


def same_protocol_edits(exchange: Exchange, target: Target) -> dict[str, JsonValue]:
    return {}


def admit_forward(exchange: Exchange) -> None:
    return None


def forward_target(exchange: Exchange, table: RoutingTable) -> tuple[Target, str, str, dict[str, str]]:
    raise AssertionError
