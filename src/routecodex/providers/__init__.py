"""Provider V2: auth, transport and error classification for one runtimeKey; knows no semantics.

In here: what a transport is (transport.py), how a credential is found and renewed (auth.py, service_account.py),
how a URL is made (endpoint.py), what a transport failure means (errors.py) and the sender itself (provider.py).
The only thing that is sent is a sealed `UpstreamRequest`. The transports live in blocks/provider_runtime/.
"""

from routecodex.providers.provider import ProviderV2, UpstreamStream
from routecodex.providers.transport import Transport, TransportError, TransportFault, TransportRequest, TransportStream

__all__ = [
    "ProviderV2",
    "Transport",
    "TransportError",
    "TransportFault",
    "TransportRequest",
    "TransportStream",
    "UpstreamStream",
]
