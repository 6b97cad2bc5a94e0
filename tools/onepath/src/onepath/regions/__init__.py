"""AUTO regions in Markdown pages: found, told stale or edited by hand, and written without touching a byte outside.

`markers` reads a page, `generating` says what it becomes, `files` does it for many pages or for none. What stands in
ARCH and CALLGRAPH is made in `arch` and `callgraph`, from the linked program.
"""

from onepath.regions.files import Plan, WriteError, plan, write
from onepath.regions.generating import Change, Generated, State, digest, generate, header, normal, state_of
from onepath.regions.markers import Page, Region, RegionFault, parse_page

__all__ = [
    "Change",
    "Generated",
    "Page",
    "Plan",
    "Region",
    "RegionFault",
    "State",
    "WriteError",
    "digest",
    "generate",
    "header",
    "normal",
    "parse_page",
    "plan",
    "state_of",
    "write",
]
