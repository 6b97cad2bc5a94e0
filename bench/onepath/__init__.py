"""onepath beside its neighbours, in one run: cold, warm and after one change, on other people's trees and on this one.

Every subject is a whole process, start-up included; CPU is user and system time of the process and all it started.
What counts are ratios of medians over rounds in which every subject takes its turn. Trees are copies under `.cache`.
"""
