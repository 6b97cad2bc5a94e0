"""What built-in and standard functions do with what they are given, where that matters to what is called.

One module per family of foreign behaviour, and in it the table that says which name does what: its `MODELS`. Here they
become one registry, by full name. Whatever is not in it is foreign code: it may call what it is given. A model reads
and writes variables of the call's site and registers what waits for their values; how calls are bound, attributes are
read and values flow is not known in here.
"""

from __future__ import annotations

from typing import Final

from onepath.link.models import (
    callers,
    classes,
    containers,
    contexts,
    copies,
    decorators,
    descriptors,
    errors,
    files,
    futures,
    getters,
    hints,
    hooks,
    importing,
    inspecting,
    iterators,
    loaders,
    logs,
    mocks,
    operators,
    records,
    reflection,
    running,
    tasks,
    texts,
    threads,
    written,
)
from onepath.link.models.model import Model

MODELS: Final[dict[str, Model]] = {
    **callers.MODELS,
    **classes.MODELS,
    **containers.MODELS,
    **contexts.MODELS,
    **copies.MODELS,
    **decorators.MODELS,
    **descriptors.MODELS,
    **errors.MODELS,
    **files.MODELS,
    **futures.MODELS,
    **getters.MODELS,
    **hints.MODELS,
    **hooks.MODELS,
    **importing.MODELS,
    **inspecting.MODELS,
    **iterators.MODELS,
    **loaders.MODELS,
    **logs.MODELS,
    **mocks.MODELS,
    **operators.MODELS,
    **records.MODELS,
    **reflection.MODELS,
    **running.MODELS,
    **tasks.MODELS,
    **texts.MODELS,
    **threads.MODELS,
    **written.MODELS,
}
"""By full name: what it does."""
