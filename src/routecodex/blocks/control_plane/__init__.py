"""The admin surface: what it answers, worked out on the stores the app hands it, and the commands it passes on.

contract.py says what the handlers read; commands.py is the table of control commands with their arguments; v1.py
answers health, readiness and metrics by reading the stores directly. Who may see the answers is the HTTP adapter's
policy; what a command does is the supervisor's.
"""

from routecodex.blocks.control_plane.contract import NoSupervisorError, Overview

__all__ = ["NoSupervisorError", "Overview"]
