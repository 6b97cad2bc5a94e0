"""Builds a generation's artifacts from a compiled configuration: routing, compat profiles, pipeline, providers.

contract.py says what the artifacts are; v1.py builds all of them from scratch. Nothing here is started or published.
"""

from routecodex.blocks.runtime_bootstrap.contract import Artifacts, RuntimeFactory

__all__ = ["Artifacts", "RuntimeFactory"]
