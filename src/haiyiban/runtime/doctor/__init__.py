"""`haiyiban doctor`: what is wrong with a set-up, in words, and what to do about it.

It only looks: nothing is started, written or mended. Each check gives findings; a check that cannot be made
is a finding too, never a silence.
"""
