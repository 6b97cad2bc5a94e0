"""Configuration: from a TOML or JSON file, the environment and secret references to one frozen `CompiledConfig`.

In here: the shape of the file (models.py, routing_models.py, provider_models.py on fields.py), reading with positions
(positions.py, loading.py), what is wrong and where (faults.py), and meaning (compiling.py, provider_compiling.py,
routing_compiling.py; vendors.py knows hosts). Nothing in here opens a socket, decides a route or keeps state. Only the
models, fields.py and loading.py import pydantic; what the data plane imports from this door is data.
"""

from routecodex.config.compiled import (
    AdminSettings,
    ApiKey,
    AuthSpec,
    CompiledConfig,
    EndpointSpec,
    Limits,
    OAuthSpec,
    Paths,
    ProfileDocument,
    ProviderSpec,
    RetrySettings,
    ServerSettings,
    ServiceAccountSpec,
    Setting,
    StoreSettings,
    SwitchValue,
    TelemetrySettings,
    Timeouts,
    TlsSpec,
)
from routecodex.config.secret import Secret

__all__ = [
    "AdminSettings",
    "ApiKey",
    "AuthSpec",
    "CompiledConfig",
    "EndpointSpec",
    "Limits",
    "OAuthSpec",
    "Paths",
    "ProfileDocument",
    "ProviderSpec",
    "RetrySettings",
    "Secret",
    "ServerSettings",
    "ServiceAccountSpec",
    "Setting",
    "StoreSettings",
    "SwitchValue",
    "TelemetrySettings",
    "Timeouts",
    "TlsSpec",
]
