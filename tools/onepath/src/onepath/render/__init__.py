"""How things are shown: one format, one file. Nothing in here judges, reads files or knows a command line."""
