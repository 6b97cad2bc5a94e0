"""The systemd unit of a gateway: its text from a table of directives, and where units are kept.

Hardening takes away what a gateway has no use for and leaves what it needs: its home, sockets, threads and child
processes of its own. It knows systemd.exec(5) and systemd.service(5), no gateway that runs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

NAME: Final = "routecodex.service"
_MARK: Final = "# Written by `routecodex service install`; sha256 of what follows: "
_LEEWAY: Final = 15
"""Seconds beyond the drain before systemd kills what is left."""


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit is made for."""

    scope: Literal["user", "system"]
    command: Sequence[str]
    """What systemd runs, words as they are."""
    home: str
    """Of the gateway; absolute, the one folder it writes to."""
    writable: Sequence[str] = ()
    """Other folders it writes to: of the store, of the token."""
    read: Sequence[str] = ()
    """What it must be able to read besides: the interpreter, the configuration."""
    environment_file: str
    """Where keys may be kept; it need not exist."""
    drain: float
    """`server.drain`, seconds."""
    port: int
    user: str = ""
    """Scope system: whom the gateway runs as."""


_HARDENING: Final = (
    ("NoNewPrivileges", "yes"),
    ("UMask", "0077"),
    ("LockPersonality", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("RestrictNamespaces", "yes"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("SystemCallErrorNumber", "EPERM"),
)
"""Under both managers: none of it needs privileges of the manager."""
_SYSTEM_HARDENING: Final = (
    ("ProtectSystem", "strict"),
    ("PrivateDevices", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectProc", "invisible"),
)
"""Under the system's manager, which may set up mounts of its own for the service."""


def text(unit: Unit) -> str:
    """The unit file."""
    body = "\n".join(_lines(unit)) + "\n"
    return _MARK + hashlib.sha256(body.encode()).hexdigest() + "\n" + body


def is_ours(content: str) -> bool:
    """Whether a unit file is one of ours that nobody has edited."""
    first, _, body = content.partition("\n")
    return first == _MARK + hashlib.sha256(body.encode()).hexdigest()


def folder(scope: Literal["user", "system"], user_home: Path, config_home: str | None) -> Path:
    """Where the manager looks for units; `config_home` is XDG_CONFIG_HOME."""
    if scope == "system":
        return Path("/etc/systemd/system")
    return (Path(config_home) if config_home else user_home / ".config") / "systemd" / "user"


def _lines(unit: Unit) -> list[str]:
    system = unit.scope == "system"
    network = ["After=network-online.target", "Wants=network-online.target"] if system else []
    service = [
        ("Type", "notify"),
        ("NotifyAccess", "main"),
        ("ExecStart", " ".join(map(_word, unit.command))),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("Environment", _word(f"ROUTECODEX_HOME={unit.home}")),
        ("EnvironmentFile", "-" + unit.environment_file.replace("%", "%%")),
        *([("User", unit.user)] if system and unit.user else []),
        ("WorkingDirectory", "-" + unit.home.replace("%", "%%")),
        ("KillMode", "mixed"),
        ("TimeoutStartSec", "120"),
        ("TimeoutStopSec", str(round(unit.drain) + _LEEWAY)),
        ("Restart", "on-failure"),
        ("RestartSec", "2"),
        ("RestartPreventExitStatus", "78"),
        ("OOMPolicy", "continue"),
        ("LimitNOFILE", "65536"),
        *_HARDENING,
        *(_SYSTEM_HARDENING if system else ()),
        *(_system_paths(unit) if system else ()),
        *(_capabilities(unit) if system else ()),
    ]
    return [
        "[Unit]",
        "Description=RouteCodex, an LLM gateway for coding agents",
        *network,
        "StartLimitIntervalSec=300",
        "StartLimitBurst=10",
        "",
        "[Service]",
        *(f"{name}={value}" for name, value in service),
        "",
        "[Install]",
        f"WantedBy={'multi-user.target' if system else 'default.target'}",
    ]


def _system_paths(unit: Unit) -> list[tuple[str, str]]:
    """What stays writable, and what of homes and temporary folders is taken away: all of it, unless it is needed."""
    kept = list(dict.fromkeys([unit.home, *unit.writable]))
    needed = [*kept, *unit.read]
    in_homes = any(path.startswith(("/home/", "/root/", "/run/user/")) for path in needed)
    in_tmp = any(path.startswith(("/tmp/", "/var/tmp/")) for path in needed)  # noqa: S108 - compared, not used
    state = [Path(path).name for path in kept if Path(path).parent == Path("/var/lib")]
    others = [path for path in kept if Path(path).parent != Path("/var/lib")]
    return [
        ("ProtectHome", "read-only" if in_homes else "yes"),
        ("PrivateTmp", "no" if in_tmp else "yes"),
        *([("StateDirectory", " ".join(map(_word, state))), ("StateDirectoryMode", "0700")] if state else []),
        *([("ReadWritePaths", " ".join(map(_word, others)))] if others else []),
    ]


def _capabilities(unit: Unit) -> list[tuple[str, str]]:
    if 0 < unit.port < 1024:
        return [("CapabilityBoundingSet", "CAP_NET_BIND_SERVICE"), ("AmbientCapabilities", "CAP_NET_BIND_SERVICE")]
    return [("CapabilityBoundingSet", "")]


_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:=@,+-]+")


def _word(text: str) -> str:
    """One word of a command line or list, quoted and with systemd's specifiers and variables taken literally."""
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
