"""Builds a generation's artifacts from a compiled configuration: routing, compat profiles, pipeline, providers.

contract.py says what the artifacts are; v1.py builds all of them from scratch, v2.py keeps what is unchanged by its
content. Nothing here is started or published.
"""

from routecodex.blocks.runtime_bootstrap.contract import (
    Artifacts,
    BootstrapFactory,
    RuleSet,
    Runtime,
    RuntimeBootstrap,
    RuntimeFactory,
    Surround,
)

__all__ = ["Artifacts", "BootstrapFactory", "RuleSet", "Runtime", "RuntimeBootstrap", "RuntimeFactory", "Surround"]
