"""The built-in profiles: one module per vendor, each a document in the form users write (profile.py).

Every quirk stands beside its public source. `stable` and `canary` of these are the same object until a profile gets a
`canary` section.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llmswitch_core.compat.builtin import (
    anthropic,
    deepseek,
    gemini,
    glm,
    kimi,
    local,
    mistral,
    openai,
    openrouter,
    qwen,
)

BUILT_IN: Final[Mapping[str, Mapping[str, Any]]] = {
    document["name"]: document
    for document in (
        openai.PASSTHROUGH,
        openai.COMPATIBLE,
        openai.OPENAI,
        anthropic.ANTHROPIC,
        gemini.GEMINI,
        deepseek.DEEPSEEK,
        glm.GLM,
        qwen.QWEN,
        kimi.KIMI,
        mistral.MISTRAL,
        local.LMSTUDIO,
        local.LLAMACPP,
        openrouter.OPENROUTER,
    )
}
"""name -> document."""
