"""Holds a generation's Provider V2 instances by runtimeKey and the connections under them.

contract.py says what a provider runtime is, runtime.py is what both sides share; v1.py is the transport on aiohttp,
v2.py our own, made in http1/.
"""

from routecodex.blocks.provider_runtime.contract import ProviderRuntime

__all__ = ["ProviderRuntime"]
