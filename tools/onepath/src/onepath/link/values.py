"""What a variable can hold: one small class per kind of value, each value existing once.

Values are compared by identity, so sets of them are cheap, and are kept in dictionaries, so their order is that of the
program. They hold no logic; how they are called, read and written is in `calls`, `attributes` and `items`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from onepath.link.code import Code, Frame, Site, Unit


TEXT, AFFIX, NUMBER, BYTES, BOX, OBJECT, FOREIGN, RESULT, METHOD, UNCOMPUTED = range(1, 11)
"""Sorts of values of which a variable holds a limited number."""
SORTS = 16


class Value:
    """Anything."""

    __slots__ = ()
    depth = 0
    """How many contexts deep the value was made; deep ones make no further contexts."""
    sort = 0
    most = 0
    """How many values of its sort a variable tells apart; 0: as many as there are."""
    kept = False
    """Whether a rule asks for it, so that a variable that holds too many still holds this."""


class Function(Value):
    """A function or lambda of the program, closed over one frame."""

    __slots__ = ("code", "depth", "kept", "parent")

    def __init__(self, code: Code, parent: Frame, kept: bool = False) -> None:
        self.code = code
        self.parent = parent
        self.depth: int = parent.depth
        self.kept = kept


class Class(Value):
    """A class of the program; `code` is None for one made by calling `type`."""

    __slots__ = (
        "bases",
        "body",
        "bound",
        "code",
        "dynamic",
        "fields",
        "foreign",
        "frame",
        "metaclass",
        "mro",
        "name",
        "outside",
        "places",
        "record",
        "sought",
        "statics",
        "subclasses",
        "unit",
    )

    def __init__(self, name: str, code: Code | None, frame: Frame, unit: Unit) -> None:
        self.name = name
        self.code = code
        self.frame = frame
        self.unit = unit
        self.body: Frame | None = None
        self.bases: list[Class] = []
        self.places: list[tuple[int, ...]] = []
        """Where each of them stands in the class statement; one that is unpacked also has its place in the sequence."""
        self.foreign: list[str] = []
        """Full names of foreign bases."""
        self.mro: list[Class] = [self]
        self.statics: set[str] = set()
        """Names its body binds; see `binding`."""
        self.bound: frozenset[str] | None = None
        """Names that it or a class behind it binds, once asked for."""
        self.outside: tuple[str, ...] | None = None
        """Foreign bases of it and of the classes behind it, once asked for."""
        self.dynamic = False
        self.record = False
        """Whether a decorator writes its methods from its fields."""
        self.fields: dict[str, int] = {}
        """Annotated names of the body, with the annotation."""
        self.metaclass: int = -1
        self.subclasses: list[Class] = []
        self.sought: dict[str, int] = {}
        """By name that is looked up along the order of resolution, the variable of what is found."""

    def binding(self, name: str) -> None:
        """Its body binds the name, as becomes known only now."""
        self.statics.add(name)
        self.forget()

    def sees(self, other: Class, name: str) -> bool:
        """Whether a name that another class gets is found there: no class before it binds the name."""
        for one in self.mro:
            if one is other:
                return True
            if name in one.statics:
                return False
        return False

    def forget(self) -> None:
        """What was known of it and of the classes below it may have changed."""
        todo = [self]
        seen: set[Class] = set()
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                one.bound = None
                one.outside = None
                todo.extend(one.subclasses)


class Instance(Value):
    """An object of a class of the program: one per class, one more per callables it was made with, and, where the
    origin is asked for, one per place."""

    sort = OBJECT
    most = 40
    __slots__ = ("cls", "depth", "kept", "origin", "tag")

    def __init__(self, cls: Class, tag: tuple[Value | str, ...], origin: Site | None, depth: int) -> None:
        self.cls = cls
        self.tag = tag
        self.origin = origin
        self.depth = depth
        self.kept = origin is not None


class Bound(Value):
    """A callable with its first argument: a method of an object, of a class."""

    __slots__ = ("depth", "func", "kept", "most", "owner", "sort")

    def __init__(self, func: Value, owner: Value) -> None:
        foreign = isinstance(func, Foreign)
        self.sort = FOREIGN if foreign else 0
        self.most = func.most if foreign else 0
        self.kept = func.kept and func.__class__ is Function
        self.func = func
        self.owner = owner
        self.depth = max(func.depth, owner.depth)


class Module(Value):
    """A module of the program, or a folder that holds some."""

    __slots__ = ("name", "unit")

    def __init__(self, name: str, unit: Unit | None) -> None:
        self.name = name
        self.unit = unit


class Foreign(Value):
    """A foreign name: a module, class, function or anything in it."""

    sort = FOREIGN
    __slots__ = ("most", "name", "special")

    def __init__(self, name: str, special: bool) -> None:
        self.name = name
        self.special = special
        """Whether calling it is what a rule watches."""
        self.most = 0 if special else 4


class Result(Value):
    """What a foreign callable gives: known by the callable's name, as its instances would be."""

    sort = RESULT
    __slots__ = ("most", "name", "special")

    def __init__(self, name: str, special: bool) -> None:
        self.name = name
        self.special = special
        """Whether what a rule watches can be read from it."""
        self.most = 0 if special else 4


class Text(Value):
    sort = TEXT
    most = 16
    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value


class Affix(Value):
    """A text of which only the start and the end are known."""

    sort = AFFIX
    most = 4
    __slots__ = ("end", "start")

    def __init__(self, start: str, end: str) -> None:
        self.start = start
        self.end = end


class Bytes(Value):
    sort = BYTES
    most = 4
    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value


class Number(Value):
    sort = NUMBER
    most = 4
    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value


class Constant(Value):
    """An object of a built-in type of which only the type is known."""

    __slots__ = ("type",)

    def __init__(self, type_: str) -> None:
        self.type = type_


class Box(Value):
    """A container made at one place: `items` by key where the key is known, `rest` for all others."""

    sort = BOX
    most = 8
    __slots__ = ("asked", "every", "items", "keys", "kind", "missing", "rest", "site", "stack")

    def __init__(self, kind: str, site: object, rest: int, keys: int) -> None:
        self.kind = kind
        self.site = site
        self.rest = rest
        self.keys = keys
        """The variable of its keys."""
        self.items: dict[object, int] = {}
        self.every: int = -1
        """The variable of all elements together, once somebody asks for it."""
        self.missing: int = -1
        """The variable of `default_factory`."""
        self.asked: dict[object, int] | None = None
        """By key that is read but that nobody writes: the variable."""
        self.stack: Stack | None = None
        """Where a mapping stands among others, if it has what they have."""


class Stack:
    """The mappings a mapping stands on, those that stand on it, and which of their keys each hides."""

    __slots__ = ("above", "below", "latent")

    def __init__(self) -> None:
        self.below: dict[Box, frozenset[str]] = {}
        self.above: dict[Box, frozenset[str]] = {}
        self.latent: dict[object, None] = {}
        """Keys that are below and under which nobody asked for the item yet."""


class Partial(Value):
    """A callable with some of its arguments."""

    __slots__ = ("depth", "double_stars", "func", "kept", "method", "named", "positional", "stars")

    def __init__(
        self,
        func: Value,
        positional: tuple[int, ...],
        named: tuple[tuple[str, int], ...],
        stars: tuple[int, ...],
        double_stars: tuple[int, ...],
        method: bool,
    ) -> None:
        self.func = func
        self.positional = positional
        self.named = named
        self.stars = stars
        self.double_stars = double_stars
        self.method = method
        self.depth = func.depth
        self.kept = func.kept and func.__class__ is not Partial


class Descriptor(Value):
    """`property`, `staticmethod`, `classmethod` and their like around functions."""

    __slots__ = ("delete", "get", "kind", "set")

    def __init__(self, kind: str, get: Value | None, set_: Value | None, delete: Value | None) -> None:
        self.kind = kind
        self.get = get
        self.set = set_
        self.delete = delete


class Alias(Value):
    """What a `type` statement makes: asked for its value, it calls a function."""

    __slots__ = ("get",)

    def __init__(self, get: Value) -> None:
        self.get = get


class TypeParameter(Value):
    """A type parameter: asked for its bound, constraints or default, it calls a function."""

    __slots__ = ("bound", "default")

    def __init__(self, bound: Value | None, default: Value | None) -> None:
        self.bound = bound
        self.default = default


class Running(Value):
    """A generator or coroutine of a frame."""

    __slots__ = ("frame", "kind")

    def __init__(self, kind: str, frame: Frame) -> None:
        self.kind = kind
        self.frame = frame


class Super(Value):
    __slots__ = ("cls", "owner")

    def __init__(self, cls: Class, owner: Value) -> None:
        self.cls = cls
        self.owner = owner


class Method(Value):
    """A method of a built-in object whose working is known: of a text, a container, a generator, a function."""

    sort = METHOD
    most = 16
    __slots__ = ("name", "owner")

    def __init__(self, owner: Value, name: str) -> None:
        self.owner = owner
        self.name = name


class Space(Value):
    """The names of a module, class or object as a mapping: `globals()`, `vars(x)`, `x.__dict__`."""

    __slots__ = ("owner",)

    def __init__(self, owner: Value) -> None:
        self.owner = owner


class Getter(Value):
    """`operator.attrgetter`, `itemgetter`, `methodcaller`, and other callables with names inside."""

    __slots__ = ("kind", "names", "site")

    def __init__(self, kind: str, names: tuple[str, ...], site: Site) -> None:
        self.kind = kind
        self.names = names
        self.site = site


class File(Value):
    """A file or folder of the program: its path, the opened file and the text in it are one."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path
        """From the folder all files of the program are named from, with slashes."""


class Uncomputed(Value):
    """Something that cannot be computed; calling it is an opaque call."""

    sort = UNCOMPUTED
    most = 2
    kept = True
    __slots__ = ("line", "unit", "what", "why")

    def __init__(self, what: str, why: str) -> None:
        self.what = what
        self.why = why


class Unknown(Value):
    """What an unknown caller passes."""

    __slots__ = ()


class Widened(Value):
    """One of too many."""

    kept = True
    __slots__ = ()


class Many(dict[Value, None]):
    """More than a few values that a variable holds."""

    __slots__ = ("counts",)

    counts: bytearray | None
    """By sort: how many of it there are, `UNCOUNTED`, or `CLOSED` if no more are taken; None: nothing is counted."""


UNCOUNTED: Final = 254
CLOSED: Final = 255


class Wide(Many):
    """What a variable holds that held too many: of these only what rules ask for, and that it is one of many."""

    __slots__ = ()


OBJECTS: Final = frozenset({Instance})
"""Kinds of values that have methods of the program."""
OBJECTS_AND_CLASSES: Final = frozenset({Instance, Class})
OBJECTS_AND_BOXES: Final = frozenset({Instance, Box})
CLASSES: Final = frozenset({Class})
BOXES: Final = frozenset({Box})
DESCRIPTORS: Final = frozenset({Descriptor})
RESULTS: Final = frozenset({Result})
RUNNING: Final = frozenset({Running})
