"""Hot paths measured against the bare framework, alternating in one run, so that a busy machine is unfair to
both alike.

`make bench`. Believe CPU µs a request first: requests a second on a shared machine swing with the neighbours.
"""
