"""Kernel v2, the AppKernel: blocks with a life of their own, injected into each other by contract, and generations.

lifecycle.py brings blocks up in the order of their needs and takes them down again; assembly.py is the table of this
gateway's blocks; generations.py publishes and retires; dispatcher.py is the one application the server calls;
controls.py carries out what the supervisor says; probing.py tries a generation before anybody else does.
"""

from routecodex.app.kernel.serving import serve

__all__ = ["serve"]
