"""Other people's trees: onepath runs to the end on them, and sees the imports that grimp sees.

`python -m tests.thirdparty` in tools/onepath (network needed once; everything is kept under `.cache`): each tree is
linted with a small contract of its own, timed and weighed, and its import graph is laid beside grimp's, every
difference counted under a cause. A difference without one fails.
"""
