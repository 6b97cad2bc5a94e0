"""Configuration: what a file may say, what is told of its faults, and what it compiles to."""
