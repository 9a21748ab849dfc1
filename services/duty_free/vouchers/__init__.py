"""Campaigns and their vouchers: a rush for what there is not enough of, and books that balance.

Source: docs/domain.md §8.3; docs/duty-free.md.
"""
