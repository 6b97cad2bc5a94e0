"""Prints grimp's import graph of one package as JSON, where grimp is installed: `grimp_graph.py FOLDER PACKAGE`."""

from __future__ import annotations

import json
import sys

import grimp


def main(folder: str, package: str) -> None:
    """Modules, and each import with the first line it stands on."""
    sys.path.insert(0, folder)
    graph = grimp.build_graph(package, cache_dir=None)
    imports = []
    for importer in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            details = graph.get_import_details(importer=importer, imported=imported)
            imports.append((importer, imported, min((one["line_number"] for one in details), default=0)))
    json.dump({"modules": sorted(graph.modules), "imports": imports}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
