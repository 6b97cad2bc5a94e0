"""The ledger: what was changed, by whom and why, in a chain of entries no one can mend unseen.

entry.py is the chain, reading.py walks and judges what lies on disk without a lock, ledger.py is the one writer. It
knows entries and files; what a kind of entry means is the app's.
"""

from routecodex.blocks.ledger.entry import MAX_ENTRY, START, Entry
from routecodex.blocks.ledger.ledger import Ledger, LedgerInUseError, LedgerUnwritableError
from routecodex.blocks.ledger.reading import Verdict, read, verify

__all__ = [
    "MAX_ENTRY",
    "START",
    "Entry",
    "Ledger",
    "LedgerInUseError",
    "LedgerUnwritableError",
    "Verdict",
    "read",
    "verify",
]
