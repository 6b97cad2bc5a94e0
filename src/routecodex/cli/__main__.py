"""`python -m routecodex.cli`: the same as the `routecodex` command."""

import sys

from routecodex.cli.application import main

if __name__ == "__main__":
    sys.exit(main())
