"""AUTO:CALLGRAPH: the way from the faces to upstream as a drawing, the proof that it is the only one, who uses what.

Only `call` edges are drawn. The drawing has at most 25 boxes: faces, what the contract mandates and makes, the rooms on
the shortest ways between, and the sinks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from onepath.config import Carried, PathContract
from onepath.graph import Edge, Program
from onepath.regions.material import Material, Page
from onepath.render import markdown
from onepath.render.mermaid import Box, Frame, Line, Shape, draw
from onepath.rules.groups import Sinks
from onepath.rules.names import matches
from onepath.rules.proving import entries_of, in_words

_PROVING = ("OP001", "OP003")
_MOST_BOXES = 25
_MOST_ROWS = 40
_SHORT_ROWS = 16


def callgraph(material: Material, page: Page, *, short: bool) -> str:
    """The body of CALLGRAPH."""
    parts: list[str] = []
    for contract in material.model.configuration.path:
        parts.append(markdown.fence(_Drawing(material, contract).drawn(), "mermaid"))
        parts.append(_proof(material, page, contract))
    table = _table(material, page, _SHORT_ROWS if short else _MOST_ROWS, names=2 if short else 6)
    if table:
        parts.append(table)
    return "\n\n".join(parts)


class _Drawing:
    """Boxes and lines, gathered along the contract."""

    def __init__(self, material: Material, contract: PathContract) -> None:
        self.material = material
        self.program = material.model.program
        self.contract = contract
        self.entries = entries_of(contract, self.program)
        self.faces = self._faces()
        self.boxes: dict[str, tuple[str, Box]] = {}
        """By box id: the frame it is in, and the box."""
        self.lines: dict[tuple[str, str], Line] = {}

    def drawn(self) -> str:
        through = [self._resolved(name) for name in self.contract.through]
        for face, label in self.faces.items():
            self._box(face, label, frame="faces")
        for name, written in zip(through, self.contract.through, strict=True):
            self._box(name, _owner_and_name(written), "mandated")
        for face in self.faces:
            starts = [entry for entry in self.entries if matches(face, entry)]
            self._way(face, starts, through[0])
        for one, other in itertools.pairwise(through):
            if not self._way(one, self._inside(one), other):
                self._line(one, other, other.rpartition(".")[2])
        for carried in self.contract.carries:
            made_by = self._resolved(carried.made_by)
            if len(self.boxes) < _MOST_BOXES - 1:
                self._box(made_by, _owner_and_name(carried.made_by), "mandated")
                asks = next((name for name in through if self._calls(name, made_by)), through[0])
                self._line(asks, made_by, made_by.rpartition(".")[2])
                self.lines.setdefault((made_by, asks), Line(made_by, asks, "value", self._carried(carried)))
        self._sinks(through[-1])
        frames: dict[str, list[Box]] = {}
        for frame, box in self.boxes.values():
            frames.setdefault(frame, []).append(box)
        return draw([Frame(title, tuple(boxes)) for title, boxes in frames.items()], list(self.lines.values()), "TB")

    def _faces(self) -> dict[str, str]:
        """By package through which calls come in: its label, with how many ways in of what kind it has."""
        kinds: dict[str, list[str]] = {}
        for entry, kind in self.entries.items():
            kinds.setdefault(self._face(self.program.module_of(entry) or entry), []).append(kind)
        order = tuple(self.contract.called.values())
        return {
            face: f"{self._title(face)}\n{in_words(some, order)}"
            for face, some in sorted(kinds.items())[: _MOST_BOXES // 3]
        }

    def _face(self, module: str) -> str:
        """The face a module is in; its own room if none is configured for it."""
        faces = self.material.model.configuration.docs.faces
        return next((one for one in faces if matches(one, module)), _room(module))

    def _way(self, start: str, starts: Iterable[str], goal: str) -> bool:
        """Draws the shortest way, one box for each room that it crosses; whether there is one."""
        way = _shortest(self.program, starts, goal)
        if way is None:
            return False
        at = start
        for edge in way[:-1]:
            room = self._room_box(edge.callee, goal)
            if room and self._room_of(room) != self._room_of(at) and self._has_place(room):
                self._box(room, self._title(room))
                self._line(at, room)
                at = room
                if room in self.faces and room != start:
                    return True  # from there on its own way is drawn
        self._line(at, goal, goal.rpartition(".")[2] if at != start or start in self.contract.through else "")
        return True

    def _room_of(self, box: str) -> str:
        """The room a box lies in: steps from one module to the next within it are not drawn."""
        return _room(self.program.module_of(box) or box)

    def _has_place(self, room: str) -> bool:
        return room in self.boxes or len(self.boxes) < _MOST_BOXES - 2

    def _room_box(self, function: str, goal: str) -> str:
        """The box a step of a way falls into: its module; none if a box for it stands already."""
        module = self.program.module_of(function)
        homes = {self.program.module_of(name) for name in (*self.contract.through, goal)}
        face = next((one for one in self.faces if matches(one, module)), "")
        if not module or module in homes:
            return ""
        return face or module

    def _carried(self, carried: Carried) -> str:
        """What is carried, by its type if all of one type are; whether that type is sealed."""
        types = {
            one.what for one in self.program.carried if (one.into, one.argument) == (carried.into, carried.argument)
        }
        if len(types) != 1:
            return carried.argument
        (made,) = types
        sealed = any(one.type == made for one in self.material.model.configuration.sealed)
        return f"{made.rpartition('.')[2]} (sealed)" if sealed else made.rpartition(".")[2]

    def _sinks(self, last: str) -> None:
        outside = self.material.model.configuration.docs.outside
        groups = [name.removeprefix("@") for name in self.contract.sinks]
        self.boxes["the outside"] = ("", Box("the outside", outside or "\n".join(groups), "round"))
        sinks = Sinks(self.contract.sinks)
        reached = _reached(self.program, self._inside(last))
        going_out = {
            self.program.module_of(edge.caller)
            for edge in self.program.edges
            if edge.caller in reached and edge.callee in sinks
        }
        rooms = sorted(going_out - {"", self.program.module_of(last)})
        for room in rooms[: max(0, _MOST_BOXES - len(self.boxes))]:
            self._box(room, self._title(room))
            self._line(last, room)
            self._line(room, "the outside")
        if going_out and not rooms:
            self._line(last, "the outside")

    def _inside(self, name: str) -> list[str]:
        return [one for one in self.program.functions if matches(name, one)]

    def _calls(self, caller: str, callee: str) -> bool:
        return _shortest(self.program, self._inside(caller), callee) is not None

    def _resolved(self, name: str) -> str:
        """Where a configured name is defined, if it comes over a re-export."""
        if name in self.program.functions:
            return name
        aliases = self.program.aliases.get(name, ())
        return aliases[0] if aliases else name

    def _title(self, name: str) -> str:
        rooms = self.material.model.configuration.docs.rooms
        return rooms.get(name, ".".join(name.split(".")[-2:]) if name.count(".") > 1 else name.rpartition(".")[2])

    def _frame(self, name: str) -> str:
        """The longest labelled package around a name, else its room."""
        rooms = self.material.model.configuration.docs.rooms
        around = [room for room in rooms if matches(room, name)]
        room = max(around, key=len) if around else _room(self.program.module_of(name) or name)
        return rooms.get(room, room)

    def _box(self, name: str, label: str, shape: Shape = "box", frame: str | None = None) -> None:
        self.boxes.setdefault(name, (self._frame(name) if frame is None else frame, Box(name, label, shape)))

    def _line(self, source: str, target: str, label: str = "") -> None:
        if source != target:
            self.lines.setdefault((source, target), Line(source, target, "call", label))


def _proof(material: Material, page: Page, contract: PathContract) -> str:
    """What OP001 has shown, or that it has not."""
    broken = [one for one in material.findings if one.contract == contract.name and one.rule in _PROVING]
    name = contract.name.replace("-", " ").capitalize()
    if broken:
        rules = ", ".join(sorted({one.rule for one in broken}))
        return f"**{markdown.text(name)}: not proved** · `onepath lint` names what stands against it ({rules})."
    proofs = [one for one in material.proofs if one.contract == contract.name and one.rule in _PROVING]
    if not proofs:
        return f"**{markdown.text(name)}: not judged** · no rule has shown anything about it."
    sentences = " ".join(markdown.prose(sentence) for proof in proofs for sentence in proof.sentences)
    for one in dict.fromkeys((*contract.through, *(name for each in contract.carries for name in _names(each)))):
        sentences = sentences.replace(markdown.code(one), _linked(material, page, one))
    waived = sum(one.contract == contract.name and one.rule in _PROVING for one in material.waived)
    sentences += f" Waived: {waived or 'nothing'}."
    ways = {node: reason for proof in proofs for node, reason in proof.ways_out}
    ways = ways or {one.node: one.reason for one in contract.ways_out}
    text = f"**{markdown.text(name)}: proved** · {sentences}".rstrip(" ·")
    if ways:
        told = " · ".join(
            f"{_linked(material, page, node)} → {markdown.prose(reason)}" for node, reason in ways.items()
        )
        text += f"\n\nOther lawful ways out: {told}."
    return text


def _names(carried: Carried) -> tuple[str, str]:
    return carried.into, carried.made_by


def _linked(material: Material, page: Page, name: str) -> str:
    """The last words of a symbol's name, with a link to its file."""
    program = material.model.program
    module = program.module_of(name)
    label = markdown.code(_tail(name))
    return markdown.link(label, page.link(program.modules[module])) if module else label


def _table(material: Material, page: Page, most: int, names: int) -> str:
    """app · block · operations · called in."""
    docs = material.model.configuration.docs
    program = material.model.program
    operations: dict[tuple[str, str], set[str]] = {}
    callers: dict[tuple[str, str], set[str]] = {}
    for edge in program.edges:
        target = program.functions.get(edge.callee)
        if edge.kind != "call" or target is None or target.kind in ("module", "class"):
            continue
        caller, callee = program.module_of(edge.caller), program.module_of(edge.callee)
        if not caller or not callee:
            continue
        app, block = _part(caller, docs.apps), _part(callee, docs.blocks)
        if not docs.apps or not docs.blocks:
            app, block = _room(caller), _room(callee)
        if not app or not block or app == block:
            continue
        operations.setdefault((app, block), set()).add(_operation(program, edge))
        callers.setdefault((app, block), set()).add(edge.caller)
    if not operations:
        return ""
    rows = []
    for pair in sorted(operations)[:most]:
        app, block = pair
        used = ", ".join(markdown.code(one) for one in sorted(operations[pair])[:8])
        more = " …" if len(operations[pair]) > 8 else ""
        where = [_called_in(material, page, name) for name in sorted(callers[pair])[:names]]
        rest = " …" if len(callers[pair]) > names else ""
        rows.append((markdown.code(_last(app)), markdown.code(_last(block)), used + more, ", ".join(where) + rest))
    heads = ("app", "block", "operations it uses", "called in")
    if not docs.apps or not docs.blocks:
        heads = ("room", "uses", "operations", "called in")
    text = markdown.table(heads, rows)
    if len(operations) > most:
        text += "\n\nMore: `onepath graph calls`."
    return text


def _called_in(material: Material, page: Page, function: str) -> str:
    program = material.model.program
    module = program.module_of(function)
    label = function.removeprefix(module + ".") if function != module else "module body"
    return markdown.link(markdown.code(label), page.link(program.modules[module]))


def _operation(program: Program, edge: Edge) -> str:
    """What is called, as its caller names it: a method's name, a class for its construction."""
    owner, _, name = edge.callee.rpartition(".")
    if name in ("__init__", "__new__", "__call__"):
        return owner.rpartition(".")[2]
    return name


def _part(module: str, packages: Iterable[str]) -> str:
    """The direct child of one of `packages` that holds a module; empty if none does."""
    for package in packages:
        if module.startswith(package + "."):
            return ".".join(module.split(".")[: package.count(".") + 2])
        if module == package:
            return package
    return ""


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _tail(name: str) -> str:
    return ".".join(name.split(".")[-2:])


def _owner_and_name(name: str) -> str:
    """`Flow.run` for a method, `plan` with its module for a function."""
    return _tail(name)


def _shortest(program: Program, starts: Iterable[str], goal: str) -> list[Edge] | None:
    before: dict[str, Edge | None] = dict.fromkeys(sorted(starts))
    queue = list(before)
    for name in queue:
        if matches(goal, name) and before[name] is not None:
            way: list[Edge] = []
            edge = before[name]
            while edge is not None:
                way.append(edge)
                edge = before[edge.caller]
            return way[::-1]
        for edge in sorted(program.callees.get(name, ()), key=lambda one: (one.kind, one.callee)):
            if edge.callee not in before:
                before[edge.callee] = edge
                queue.append(edge.callee)
    return None


def _reached(program: Program, starts: Iterable[str]) -> set[str]:
    reached = set(starts)
    pending = list(reached)
    while pending:
        for edge in program.callees.get(pending.pop(), ()):
            if edge.callee not in reached:
                reached.add(edge.callee)
                pending.append(edge.callee)
    return reached
