"""The published test vectors of codes: `python -m haiyiban.codes.vectors schemas/codes/vectors`.

A terminal maker runs them before go-live; our own verifiers run the same files. One file an outcome, and
every case is broken in one way only, so that a verifier which overlooks that one thing fails it.

Source: schemas/codes/README.md §5.
"""
