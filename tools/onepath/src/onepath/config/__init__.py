"""What onepath is told about a program: `[tool.onepath]` of a pyproject.toml, or onepath.toml.

In here text becomes frozen structs, and every fault of it is named with its place. Nothing in here looks at the
program; whether a name exists in it is asked by the rules.
"""

from onepath.config.model import (
    Acyclic,
    Carried,
    Configuration,
    Docs,
    Exemption,
    Forbidden,
    Independent,
    Layers,
    PathContract,
    Protected,
    Pure,
    Sealed,
    SinkOwners,
    Switches,
    Waiver,
    WayOut,
)
from onepath.config.reading import (
    CONFIGURATION_FILES,
    ConfigurationError,
    Fault,
    Project,
    bare_project,
    find_project,
    parse_configuration,
    read_project,
)

__all__ = [
    "CONFIGURATION_FILES",
    "Acyclic",
    "Carried",
    "Configuration",
    "ConfigurationError",
    "Docs",
    "Exemption",
    "Fault",
    "Forbidden",
    "Independent",
    "Layers",
    "PathContract",
    "Project",
    "Protected",
    "Pure",
    "Sealed",
    "SinkOwners",
    "Switches",
    "Waiver",
    "WayOut",
    "bare_project",
    "find_project",
    "parse_configuration",
    "read_project",
]
