"""Faults for processes that are started with this folder on their path: a provider that throws, a clock that jumps.

PLANTED_POISON names a provider whose every request ends in an error nobody foresaw. PLANTED_CLOCK names a file that
holds the seconds by which the wall clock is off.
"""

import os
import time

if "PLANTED_POISON" in os.environ:
    from routecodex.providers.provider import ProviderV2

    _send = ProviderV2.send

    async def send(self, request):  # type: ignore[no-untyped-def]
        if self.runtime_key.startswith(os.environ["PLANTED_POISON"] + "."):
            raise RuntimeError("planted")
        return await _send(self, request)

    ProviderV2.send = send  # type: ignore[method-assign]

if "PLANTED_CLOCK" in os.environ:
    _time = time.time

    def jumping() -> float:
        with open(os.environ["PLANTED_CLOCK"]) as handle:  # noqa: PTH123 - read by every process at its start
            return _time() + float(handle.read() or 0)

    time.time = jumping
