"""Compat profiles: named, ordered, declarative rules for one upstream's quirks.

Documents in, compiled profiles out (profile.py). Nothing here knows which request is whose, and nothing opens a file:
what users wrote comes in as data.
"""

from __future__ import annotations

from llmswitch_core.compat.builtin import BUILT_IN
from llmswitch_core.compat.profile import Profile, ProfilePair, compile_profiles, rule_set
from llmswitch_core.compat.reading import Fault, ProfileError

__all__ = ["BUILT_IN", "Fault", "Profile", "ProfileError", "ProfilePair", "compile_profiles", "rule_set"]
