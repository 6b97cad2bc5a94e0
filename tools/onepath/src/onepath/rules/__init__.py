"""The rules: each reads the linked program and one kind of contract, and tells findings with evidence.

One rule, one file. Judging and printing are apart: nothing in here knows a format. Waivers and the baseline are applied
to what the rules have found.
"""
