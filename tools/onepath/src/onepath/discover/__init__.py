"""Which files are the program: roots in, modules with their names out.

In here the file system is walked, never packages: a folder without `__init__.py` is code too. Files are not opened.
"""

from onepath.discover.files import Discovery, Module, RootError, Shadowed, discover

__all__ = ["Discovery", "Module", "RootError", "Shadowed", "discover"]
