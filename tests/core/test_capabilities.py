"""The shared module says what it can, and a host of another release is told."""

from __future__ import annotations

import msgspec

from llmswitch_core.canonical.model import Protocol
from llmswitch_core.capabilities import API, SEAMS, capabilities, missing
from llmswitch_core.hub.pipeline import HubPipeline


def test_every_protocol_is_named_and_every_seam_is_there() -> None:
    found = capabilities()
    assert found.protocols == {protocol.value for protocol in Protocol}
    assert "openai" in found.profiles
    assert all(callable(getattr(HubPipeline, seam)) for seam in SEAMS)
    assert missing(found, API) == ""


def test_another_api_and_a_missing_protocol_are_told_with_the_next_step() -> None:
    found = capabilities()
    assert f"needs llmswitch_core API {API + 1}" in missing(found, API + 1)
    less = msgspec.structs.replace(found, protocols=found.protocols - {"gemini"})
    assert "lacks gemini" in missing(less, API)
    assert "one release" in missing(less, API)
