"""The admin surface: what it answers, worked out on the stores the app hands it.

contract.py says what the handlers read; v1.py answers health, readiness and metrics by reading them directly. Who may
see the answers is the HTTP adapter's policy.
"""

from routecodex.blocks.control_plane.contract import Overview

__all__ = ["Overview"]
