"""Which gateway a command means, and how to speak to it: a running one by its record, else the configured address.

It joins server records with the configuration's `server` section: the address, the admin token's file, and an API key
for the data plane where the server asks for one. References to keys are resolved here and handed to client.py only.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from routecodex.cli.client import OwnServer, read_token
from routecodex.cli.configuration import shaped
from routecodex.cli.failures import EXIT_CONFIGURATION, CommandError
from routecodex.cli.servers import ServerRecord, base_url, chosen
from routecodex.config.compiling import admin_token_file
from routecodex.config.loading import gateway_home
from routecodex.config.references import References, UnresolvedReferenceError


class TargetServer(msgspec.Struct, frozen=True):
    """The gateway a command talks to or points clients at."""

    url: str
    record: ServerRecord | None
    key_reference: str | None
    """Reference of the first of `server.apiKeys`; None where no key is asked for."""
    token_file: str
    folder: str
    """Of the configuration, for relative references."""

    def api_key(self) -> str | None:
        """The key itself, for the data plane. Raises CommandError if its reference leads nowhere."""
        if self.key_reference is None:
            return None
        try:
            return References(os.environ, Path(self.folder)).secret(self.key_reference).reveal()
        except UnresolvedReferenceError as error:
            raise CommandError(
                EXIT_CONFIGURATION,
                f"The gateway asks for an API key. {error.message}",
                error.next_step,
                code="unresolved_reference",
            ) from None

    def connect(self, *, with_key: bool = False, timeout: float = 10.0) -> OwnServer:
        """The way to speak to it."""
        return OwnServer(
            self.url,
            admin_token=read_token(self.token_file),
            api_key=self.api_key() if with_key else None,
            timeout=timeout,
        )


def find(config: Path | None, port: int | None) -> TargetServer:
    """The gateway that is meant: a running one as it was started, else the configured address. Raises CommandError."""
    home = gateway_home(os.environ)
    record = chosen(home / "run", port, config)
    if record is not None:
        folder = str(Path(record.config).parent)
        return TargetServer(record.url, record, record.key_reference, record.token_file, folder)
    loaded = shaped(config)
    model = loaded.model
    assert model is not None  # noqa: S101 - shaped() has refused everything else
    parent = loaded.path.absolute().parent
    return TargetServer(
        url=base_url(model.server.host, port or model.server.port),
        record=None,
        key_reference=next((entry.key for entry in model.server.api_keys), None),
        token_file=admin_token_file(model.server, home, parent),
        folder=str(parent),
    )
