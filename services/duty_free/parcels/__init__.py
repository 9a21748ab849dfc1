"""Parcels (物流): mailed duty-free goods on their way, seen by their buyer alone.

Source: docs/domain.md §8.3.
"""
