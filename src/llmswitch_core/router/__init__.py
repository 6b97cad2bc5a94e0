"""The Virtual Router: classifies a request into a route, picks a target from the route's pools, and says why.

Pure: health and stickiness come in as state and go out as state.
"""
