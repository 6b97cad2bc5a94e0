"""The shape of `[tool.onepath]`, as frozen structs.

Every field's docstring is its entry in the generated reference. It knows the keys, their types and defaults, and
nothing of files or of the program that is read.

Names in all contracts are written alike: a bare name means it and everything below; `X.*` everything below, at any
depth; `@deco` what is decorated so; `arg:F.p` what is passed to F as its parameter p; `@network` and `@process` the
groups shipped as data.
"""

from __future__ import annotations

import datetime

import msgspec


class WayOut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lawful way to a sink beside the single path. It ends the search and is printed in the proof."""

    node: str
    """The symbol at which the search ends."""
    reason: str
    """Why it may leave the path; shown wherever the proof is shown."""


class Carried(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A demand on a value: what reaches a parameter was made in one place."""

    into: str
    """The function whose parameter is watched."""
    argument: str
    """The parameter's name."""
    made_by: str
    """The function that alone may make what is passed."""


class PathContract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OP001, OP003: every call path from `entries` to `sinks` passes every `through`, in order."""

    name: str
    """What the contract is called in findings."""
    entries: tuple[str, ...]
    """Where outside calls come in."""
    through: tuple[str, ...]
    """Functions that each path has to pass, in this order."""
    sinks: tuple[str, ...]
    """What may only be reached through them."""
    carries: tuple[Carried, ...] = ()
    """Demands on the values that are passed on the way."""
    guarded: tuple[str, ...] = ()
    """Code where a call that cannot be computed is a finding by itself (OP003)."""
    ways_out: tuple[WayOut, ...] = ()
    """Other lawful ways to a sink, each with its reason."""
    called: dict[str, str] = {}
    """By entry pattern: what one of its entries is called (`endpoint`, `command`) where they are counted."""


class SinkOwners(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OP002: only the named modules may import or call network or process primitives."""

    name: str
    """What the contract is called in findings."""
    owners: tuple[str, ...]
    """Modules or symbols that may touch the primitives."""
    sinks: tuple[str, ...] = ("@network", "@process")
    """The primitives."""
    within: tuple[str, ...] = ()
    """Code the contract speaks of; empty: all roots."""


class Exemption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One import a contract does not count."""

    importer: str
    """The importing module."""
    imported: str
    """The imported module or symbol."""
    reason: str
    """Why it is lawful."""


class Layers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OP004: a layer imports only layers below it."""

    name: str
    """What the contract is called in findings."""
    layers: tuple[str, ...]
    """Highest first. `a | b`: two modules of one layer that do not import each other; `a : b`: two that may;
    `(a)`: a layer that may be absent."""
    containers: tuple[str, ...] = ()
    """Packages in which each layer is looked for; a layer that is not in them is a name of its own."""
    exhaustive: bool = False
    """Whether every direct child of each container has to be in a layer."""
    indirect: bool = True
    """Whether an import over modules that are in no layer counts."""
    type_checking: bool = True
    """Whether imports under `if TYPE_CHECKING` count."""
    except_: tuple[Exemption, ...] = msgspec.field(default=(), name="except")
    """Imports that do not count, each with its reason."""


class Forbidden(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OP005: some code does not import some other code, or imports nothing but what is listed."""

    name: str
    """What the contract is called in findings."""
    from_: tuple[str, ...] = msgspec.field(name="from")
    """The importing modules."""
    to: tuple[str, ...] = ()
    """What they must not import: modules or symbols, own or foreign."""
    only: tuple[str, ...] = ()
    """If given, all they may import beside themselves. `@stdlib` is the standard library."""
    indirect: bool = True
    """Whether an import over other modules of the roots counts (for `to`)."""
    type_checking: bool = True
    """Whether imports under `if TYPE_CHECKING` count."""
    except_: tuple[Exemption, ...] = msgspec.field(default=(), name="except")
    """Imports that do not count, each with its reason."""
    instead: str = ""
    """What to do instead; shown in each finding."""


class Protected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OP006: modules or symbols that only the named code may import."""

    name: str
    """What the contract is called in findings."""
    protected: tuple[str, ...]
    """Modules or symbols."""
    importers: tuple[str, ...]
    """Who may import them. What is protected may import itself."""
    harmless: tuple[str, ...] = ("exceptions", "constants")
    """Kinds of symbol of a protected module that anyone may import by name: `exceptions`, `constants`."""
    type_checking: bool = False
    """Whether imports under `if TYPE_CHECKING` count."""
    except_: tuple[Exemption, ...] = msgspec.field(default=(), name="except")
    """Imports that do not count, each with its reason."""
    instead: str = ""
    """What to do instead; shown in each finding."""


class Independent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OP007: modules that do not import each other."""

    name: str
    """What the contract is called in findings."""
    modules: tuple[str, ...]
    """The modules. `X.*` is, in this contract alone, each direct child of X."""
    indirect: bool = True
    """Whether an import over other modules of the roots counts."""
    type_checking: bool = True
    """Whether imports under `if TYPE_CHECKING` count."""
    except_: tuple[Exemption, ...] = msgspec.field(default=(), name="except")
    """Imports that do not count, each with its reason."""


class Acyclic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OP008: no circle of imports."""

    name: str
    """What the contract is called in findings."""
    within: tuple[str, ...] = ()
    """Packages looked into; empty: all roots."""
    between: str = "modules"
    """`modules`: no module imports itself over others; `siblings`: at every level below `within`, the children of a
    package form no circle."""
    functions: bool = False
    """Whether imports inside functions count: they run late, and break circles on purpose."""
    type_checking: bool = False
    """Whether imports under `if TYPE_CHECKING` count."""
    except_: tuple[Exemption, ...] = msgspec.field(default=(), name="except")
    """Imports that do not count, each with its reason."""


class Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OP009: a type is made only by its owners."""

    name: str
    """What the contract is called in findings."""
    type: str
    """The class."""
    owners: tuple[str, ...]
    """Who may construct, subclass, copy, replace, convert or unpickle it."""


class Pure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OP013: no mutable module globals, clocks, randomness or environment."""

    name: str
    """What the contract is called in findings."""
    zones: tuple[str, ...]
    """The code declared pure."""
    allow: tuple[str, ...] = ()
    """Symbols that may be used nevertheless, or module variables that may be mutable."""


class Switches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OP010 and the switch matrix: where the rows are, and what a row's fields are called."""

    registry: str
    """The variable that holds the rows."""
    combinations: str = ""
    """The variable that holds the combinations that are refused."""
    model: str = ""
    """The struct whose fields hold the values in force; its defaults and `Literal` types must agree with the rows."""
    fields: dict[str, str] = {}
    """What this program calls a row's parts, where it differs: `key`, `field`, `values`, `default`, `scope`, `effect`,
    `description`, `sides`, `symbols`, `available`, `pending`, `contract`, `differential`."""
    settings: tuple[str, ...] = ()
    """Keys of rows whose values are words and choose no code. Rows of truth, numbers or lists are settings anyway."""
    contracts: dict[str, str] = {}
    """By row key: the Protocol that both sides fulfil."""
    differentials: dict[str, str] = {}
    """By row key: the test that feeds both sides the same and compares (`path` or `path::name`)."""
    readers: tuple[str, ...] = ()
    """Code that may name a side, beside the registry; a row's value is read nowhere else."""
    rollback: str = ""
    """The command that goes back to the stable side, as shown under the matrix."""


class Docs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How generated regions look."""

    command: str = "onepath docs"
    """The command that regenerates them, named in every region and every finding."""
    sources: str = "the code"
    """What to edit instead of a region, in words."""
    rooms: dict[str, str] = {}
    """By package: its label in diagrams and tables, where the package's name says too little."""
    apps: tuple[str, ...] = ()
    """Packages that orchestrate; their calls into `blocks` fill the table of CALLGRAPH."""
    blocks: tuple[str, ...] = ()
    """Packages whose direct children are the capabilities in that table."""
    faces: tuple[str, ...] = ()
    """Packages through which calls come in, drawn first in the diagram."""
    outside: str = ""
    """What lies behind the sinks, as the diagram calls it; empty: the sinks' own names."""
    short_depth: int = 2
    """How many levels of rooms the short form of ARCH shows, beside the capabilities in `blocks`."""


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One finding that is known and borne for a time. An expired or unused waiver is a finding."""

    rule: str
    """The rule's id."""
    where: str
    """The symbol it is granted to; never a package."""
    reason: str
    """Why it is borne."""
    owner: str
    """Who will mend it."""
    expires: datetime.date
    """The last day on which it holds."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of `[tool.onepath]`."""

    roots: tuple[str, ...] = ()
    """What is read, relative to the configuration's folder. A package folder gives names that start with its own;
    `.` or `dir/` is a source folder, and names start below it."""
    exclude: tuple[str, ...] = ()
    """Patterns of paths, relative to the configuration's folder, that are not read (`*` stays in a folder, `**` does
    not)."""
    cache: str = ".cache/onepath"
    """Where facts are kept between runs; empty: nowhere."""
    baseline: str = ""
    """A file of findings that are known; it shrinks by itself, and never grows without `--update-baseline`."""
    path: tuple[PathContract, ...] = ()
    """OP001 and OP003."""
    sink_owners: tuple[SinkOwners, ...] = ()
    """OP002."""
    layers: tuple[Layers, ...] = ()
    """OP004."""
    forbidden: tuple[Forbidden, ...] = ()
    """OP005."""
    protected: tuple[Protected, ...] = ()
    """OP006."""
    independent: tuple[Independent, ...] = ()
    """OP007."""
    acyclic: tuple[Acyclic, ...] = ()
    """OP008."""
    sealed: tuple[Sealed, ...] = ()
    """OP009."""
    pure: tuple[Pure, ...] = ()
    """OP013."""
    switches: Switches | None = None
    """OP010 and the switch matrix."""
    regions: dict[str, dict[str, str]] = {}
    """OP011. By file: each region's name and its form, `short`, `long` or `template:PATH`."""
    docs: Docs = Docs()
    """How generated regions look."""
    waivers: tuple[Waiver, ...] = ()
    """Findings that are borne for a time."""
