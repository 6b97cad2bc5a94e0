"""`python -m onepath.cli`."""

import sys

from onepath.cli.application import main

sys.exit(main())
