"""Compat profiles: named, ordered, declarative rules for one upstream's quirks."""
