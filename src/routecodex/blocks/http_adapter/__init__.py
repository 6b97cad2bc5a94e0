"""HTTP and WebSocket on the client's side: parses the head, keeps the raw body, calls the request flow.

contract.py says what the adapter calls upward and what a client is to the flow; endpoints.py which path is which
protocol's which operation, policy.py who may ask, headers.py what passes, data_plane.py how one request is carried out.
Both sides of `hostBlocks.httpAdapter` share these; v1.py is the Starlette application, v2.py plain ASGI. Nothing in
here chooses a target or opens a connection.
"""

from routecodex.blocks.http_adapter.contract import (
    AdapterFactory,
    Application,
    ClientPort,
    ControlPlane,
    ModelCatalogue,
    ModelEntry,
    RequestFlow,
    Rules,
)

__all__ = [
    "AdapterFactory",
    "Application",
    "ClientPort",
    "ControlPlane",
    "ModelCatalogue",
    "ModelEntry",
    "RequestFlow",
    "Rules",
]
