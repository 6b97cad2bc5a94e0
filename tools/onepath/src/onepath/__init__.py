"""onepath: documentation that cannot lie, and a lint that proves there is one path.

The pipeline is the layout: `discover` finds files, `facts` reads each, `link` makes one program of them, `rules` judge
it, `regions` and `render` show it, `cli` is the command line. Nothing in here ever imports the code it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onepath.config import Project
    from onepath.rules.contract import Model

__all__ = ["load"]


def load(
    project: Project | str | Path,
    *,
    jobs: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    whole: bool = True,
) -> Model:
    """Read and link the program of a project: a configuration, or the folder it is in.

    `jobs`: how many processes read files; as many as there are cores unless told. `progress`: called with what is done,
    how many of it are done, of how many. `whole`: whether all code is in the graph; else what the rules need, which is
    enough to judge by. Raises ConfigurationError and RootError.
    """
    from onepath.loading import load_model

    return load_model(project, jobs=jobs, progress=progress, whole=whole)
