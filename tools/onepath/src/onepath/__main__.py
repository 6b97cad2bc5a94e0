"""`python -m onepath`."""

import sys

from onepath.cli.application import main

sys.exit(main())
