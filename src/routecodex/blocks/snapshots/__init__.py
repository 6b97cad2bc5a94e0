"""Bundles for people: what a rollback was decided on, and everything that surrounded it, in one bounded archive.

bundle.py writes it. It knows files, sizes and hashes; what goes in is the app's, with secrets as references only.
"""

from routecodex.blocks.snapshots.bundle import MOST_BYTES, Bundle, Part, write

__all__ = ["MOST_BYTES", "Bundle", "Part", "write"]
