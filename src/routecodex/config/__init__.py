"""Configuration: from a TOML or JSON file, the environment and secret references to one frozen `CompiledConfig`.

In here: the shape of the file (models.py), reading with positions (positions.py, loading.py), what is wrong and
where (faults.py), and meaning (semantics.py, compiling.py). Nothing in here opens a socket, decides a route or
keeps state. pydantic is imported by models.py alone; what the data plane imports from this door is data.
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
