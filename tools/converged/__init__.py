"""Convergence on a copy: what a row of the switch table leaves behind when its first side goes.

rows.py says what a row's first side is made of; editing.py takes pieces out of a module's text; removing.py decides
which pieces speak of what is gone, pages.py does the same for pages; tree.py makes the copy and applies all of it;
gates.py proves the copy green. Nothing in here touches the tree it was started from.
"""
