"""Facts: what one module says, before anything is known of the others.

A scope's code is a flat list of operations over numbered variables. Names are resolved as far as one module can:
local names are variables already, one per binding, joined where branches meet (so a later binding kills an earlier
one); only globals, captured names, attributes and items are left for the linker. Types only: no syntax, no solving.
"""

from __future__ import annotations

import msgspec

EXTRACTOR = 10
"""Version of what is extracted; part of the cache key."""

NONE = -1
"""No variable."""


class Operation(msgspec.Struct, frozen=True, array_like=True, gc=False, tag_field="op"):
    """One step of a scope's code. `dst` and other variables are numbers in the scope; NONE is no variable."""


class Copy(Operation, frozen=True, tag=1):
    """`dst` is any of `sources`: an assignment or a join of branches."""

    dst: int
    sources: tuple[int, ...]


class Text(Operation, frozen=True, tag=2):
    dst: int
    value: str


class Number(Operation, frozen=True, tag=3):
    """An integer constant: an index, a key."""

    dst: int
    value: int


class Constant(Operation, frozen=True, tag=4):
    """Any other constant, by its type's name: `NoneType`, `bytes`, `float`, `bool`, `ellipsis`, `str`."""

    dst: int
    type: str


class Global(Operation, frozen=True, tag=5):
    """A module variable, or a builtin of that name."""

    dst: int
    name: str


class Free(Operation, frozen=True, tag=6):
    """A variable of an enclosing function, by that function's scope index."""

    dst: int
    scope: int
    name: str


class StoreGlobal(Operation, frozen=True, tag=7):
    """The module variable gets this value: its last binding in the body, or a store under `global`."""

    name: str
    src: int


class StoreFree(Operation, frozen=True, tag=8):
    """A variable that inner scopes read gets this value; `scope` is its owner, maybe this very scope."""

    scope: int
    name: str
    src: int


class Attribute(Operation, frozen=True, tag=9):
    dst: int
    obj: int
    name: str
    line: int


class SetAttribute(Operation, frozen=True, tag=10):
    obj: int
    name: str
    src: int
    line: int


class Item(Operation, frozen=True, tag=11):
    dst: int
    obj: int
    index: int
    line: int


class SetItem(Operation, frozen=True, tag=12):
    obj: int
    index: int
    src: int
    line: int


class Call(Operation, frozen=True, tag=13):
    """`func(*positional, **named)`. `stars` and `double_stars` are unpacked arguments."""

    dst: int
    func: int
    positional: tuple[int, ...]
    names: tuple[str, ...]
    named: tuple[int, ...]
    stars: tuple[int, ...]
    double_stars: tuple[int, ...]
    line: int
    environment: tuple[tuple[str, int], ...] = ()
    """Local names in force, where the call may read them (`eval`, `exec`, `locals`, `vars`)."""


class MakeFunction(Operation, frozen=True, tag=14):
    """A `def` or lambda is evaluated: scope index, and defaults as (parameter index, variable)."""

    dst: int
    scope: int
    defaults: tuple[tuple[int, int], ...]
    line: int


class MakeClass(Operation, frozen=True, tag=15):
    """A class statement. Of `bases` those at the places `starred` are unpacked, and so are `double_stars`."""

    dst: int
    scope: int
    bases: tuple[int, ...]
    names: tuple[str, ...]
    named: tuple[int, ...]
    line: int
    starred: tuple[int, ...] = ()
    double_stars: tuple[int, ...] = ()


class Import(Operation, frozen=True, tag=16):
    """`import a.b.c`: `dst` is `a` if `top`, else `a.b.c`."""

    dst: int
    module: str
    top: bool
    line: int


class ImportFrom(Operation, frozen=True, tag=17):
    dst: int
    module: str
    name: str
    line: int


class ImportStar(Operation, frozen=True, tag=18):
    """`certain` if it runs whenever the body does: then its names hide those of stars before it."""

    module: str
    line: int
    certain: bool


class StarPick(Operation, frozen=True, tag=19):
    """`name` of the last of the starred modules that has it, else what it was before; an uncertain star's name starts
    with `?`."""

    dst: int
    previous: int
    modules: tuple[str, ...]
    name: str


class Sequence(Operation, frozen=True, tag=20):
    """A tuple, list or set display; `spread` are the positions that are unpacked (`*xs`)."""

    dst: int
    kind: str
    items: tuple[int, ...]
    spread: tuple[int, ...]


class Mapping(Operation, frozen=True, tag=21):
    """A dict display; key NONE is `**mapping`."""

    dst: int
    keys: tuple[int, ...]
    values: tuple[int, ...]


class Iterate(Operation, frozen=True, tag=22):
    """One element of an iterable."""

    dst: int
    src: int
    is_async: bool
    line: int


class Unpack(Operation, frozen=True, tag=23):
    """Element `index` of `src`; negative counts from the end; `rest` collects those from `index` on in a list."""

    dst: int
    src: int
    index: int
    rest: bool
    line: int


class Await(Operation, frozen=True, tag=24):
    dst: int
    src: int
    line: int


class Yield(Operation, frozen=True, tag=25):
    dst: int
    src: int


class YieldFrom(Operation, frozen=True, tag=26):
    dst: int
    src: int
    line: int


class Return(Operation, frozen=True, tag=27):
    src: int


class Operate(Operation, frozen=True, tag=28):
    """An operator, by its dunder; `right` NONE for unary ones. `reflected` is the dunder of the right side."""

    dst: int
    left: int
    right: int
    method: str
    reflected: str
    line: int


class Enter(Operation, frozen=True, tag=29):
    """`with src as dst`: enters and leaves."""

    dst: int
    src: int
    is_async: bool
    line: int


class Caught(Operation, frozen=True, tag=30):
    """`except src as dst`."""

    dst: int
    src: int


class Raise(Operation, frozen=True, tag=31):
    """`raise src from cause`; `cause` is NONE where there is none."""

    src: int
    line: int
    cause: int = NONE


class Narrow(Operation, frozen=True, tag=32):
    """`dst` is those of `src` that are (`positive`) or are not instances of `type`. With a line, it is the test too."""

    dst: int
    src: int
    type: int
    positive: bool
    line: int = 0


class OneOf(Operation, frozen=True, tag=47):
    """`dst` is `src`, which was found in the container `among`."""

    dst: int
    src: int
    among: int


class Declare(Operation, frozen=True, tag=33):
    """A variable has an annotation, by its index in the module's `annotations`."""

    var: int
    annotation: int


class DeclareAttribute(Operation, frozen=True, tag=34):
    obj: int
    name: str
    annotation: int


class Delete(Operation, frozen=True, tag=35):
    """`del obj[index]` or `del obj.name`."""

    obj: int
    index: int
    name: str
    line: int


class MatchClass(Operation, frozen=True, tag=36):
    """A class pattern's sub-value: attribute `name`, or the positional one `index` by `__match_args__`."""

    dst: int
    src: int
    type: int
    name: str
    index: int


class StoreMember(Operation, frozen=True, tag=37):
    """A name of the class whose body this is."""

    name: str
    src: int


class Bytes(Operation, frozen=True, tag=38):
    """A bytes constant, its values as characters 0-255."""

    dst: int
    value: str


class Format(Operation, frozen=True, tag=39):
    """An f-string: its parts, texts among them, put together."""

    dst: int
    parts: tuple[int, ...]
    line: int


class Slice(Operation, frozen=True, tag=40):
    """`obj[...]` by a slice: a container of the same elements; `reverse` if it is `[::-1]`."""

    dst: int
    obj: int
    low: int
    high: int
    step: int
    line: int


class Program(Operation, frozen=True, tag=41):
    """The next `count` operations run only where the module is run as the program, and not where it is imported."""

    count: int


class Deferred(Operation, frozen=True, tag=42):
    """`dst` is a generator; the next `count` operations run when it is read."""

    dst: int
    count: int


class MakeAlias(Operation, frozen=True, tag=43):
    """A `type` statement: `value` is the function that is called for what the alias stands for."""

    dst: int
    value: int


class MakeTypeParameter(Operation, frozen=True, tag=44):
    """`def f[T: bound = default]`: functions that are called for what it is bound to, and for its default; or NONE.

    Code inside of scope `scope` reads it by its name.
    """

    dst: int
    scope: int
    name: str
    bound: int
    default: int


class OwnTypeParameter(Operation, frozen=True, tag=45):
    """`dst` is the type parameter of this name of the function whose code this is."""

    dst: int
    name: str


class TypeParameters(Operation, frozen=True, tag=46):
    """`box` is `__type_params__` of a function, class or alias."""

    owner: int
    box: int


AnyOperation = (
    Copy
    | Text
    | Number
    | Constant
    | Global
    | Free
    | StoreGlobal
    | StoreFree
    | Attribute
    | SetAttribute
    | Item
    | SetItem
    | Call
    | MakeFunction
    | MakeClass
    | Import
    | ImportFrom
    | ImportStar
    | StarPick
    | Sequence
    | Mapping
    | Iterate
    | Unpack
    | Await
    | Yield
    | YieldFrom
    | Return
    | Operate
    | Enter
    | Caught
    | Raise
    | Narrow
    | OneOf
    | Declare
    | DeclareAttribute
    | Delete
    | MatchClass
    | StoreMember
    | Bytes
    | Format
    | Slice
    | Program
    | Deferred
    | MakeAlias
    | MakeTypeParameter
    | OwnTypeParameter
    | TypeParameters
)


class Annotation(msgspec.Struct, frozen=True, array_like=True):
    """A type as written: `name[arguments]`. A union is `|`; what is no type is the empty name, or, if it calls
    something, `=` and its text."""

    name: str
    arguments: tuple[Annotation, ...] = ()


class Parameter(msgspec.Struct, frozen=True, array_like=True):
    name: str
    kind: str
    """`positional`, `any`, `star`, `keyword`, `double`."""
    annotation: int
    has_default: bool


class Field(msgspec.Struct, frozen=True, array_like=True):
    """An annotated name in a class body."""

    name: str
    annotation: int
    has_default: bool
    line: int


class Scope(msgspec.Struct, array_like=True):
    """A body that runs: module, class, function or lambda. Variables 0..n-1 are its parameters."""

    name: str
    qualname: str
    """Below the module: `Class.method`, `outer.inner`, `f.<lambda1>`; empty for the module."""
    kind: str
    """`module`, `class`, `function`, `lambda`."""
    parent: int
    line: int
    end_line: int
    is_async: bool = False
    is_generator: bool = False
    parameters: list[Parameter] = []
    returns: int = NONE
    variables: int = 0
    code: list[AnyOperation] = []
    fields: list[Field] = []
    type_parameters: list[tuple[str, int]] = []
    """PEP 695: name and bound's annotation, or NONE."""


class ImportFact(msgspec.Struct, frozen=True, array_like=True):
    """An import as written, relative ones resolved. `name` is empty for `import m`, `*` for a star."""

    module: str
    name: str
    bound: str
    line: int
    scope: int
    type_checking: bool


class Binding(msgspec.Struct, frozen=True, array_like=True):
    """A name bound in a module's or a class's body."""

    scope: int
    name: str
    kind: str
    """`function`, `class`, `constant`, `mutable`, `variable`, `import`."""
    line: int


class ModuleFacts(msgspec.Struct, array_like=True):
    """All that is kept of one file."""

    module: str
    file: str
    is_package: bool
    scopes: list[Scope] = []
    imports: list[ImportFact] = []
    bindings: list[Binding] = []
    annotations: list[Annotation] = []
    type_aliases: dict[str, int] = {}
    """Module variables assigned what looks like a type (`A | B`, `Union[A, B]`): the annotation's index."""
    typing_names: dict[str, tuple[str, str]] = {}
    """Names bound only under TYPE_CHECKING: module and name; annotations may use them."""
    fault: str = ""
    """Why the file could not be read; then all else is empty."""
    fault_line: int = 0
