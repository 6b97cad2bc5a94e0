"""`python -m onepath`."""

from onepath.cli.application import main

main()
