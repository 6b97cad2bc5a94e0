"""Google's generateContent, on the Gemini API and on Vertex."""

from __future__ import annotations

from typing import Any, Final

GEMINI: Final[dict[str, Any]] = {
    "name": "gemini",
    "description": "generativelanguage.googleapis.com and Vertex. What differs by generation the Gemini writer knows.",
    "features": {
        # JSON Schema is taken as it is (ai.google.dev/api/caching#FunctionDeclaration: parametersJsonSchema).
        "tool_schema": "parametersJsonSchema",
        "output_schema": "responseJsonSchema",
    },
}
