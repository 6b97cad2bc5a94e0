"""`python -m onepath.cli`."""

from onepath.cli.application import main

main()
