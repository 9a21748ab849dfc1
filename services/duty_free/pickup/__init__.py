"""Picking goods up on return (返岛自提): the code that the buyer shows, and the check at the counter.

Source: docs/domain.md §8.1, §8.3; schemas/codes/README.md (kind 5).
"""
