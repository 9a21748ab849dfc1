"""How granted months become money: run (what is due), batches (files), banking, reconciling.

Source: docs/domain.md §7.5; docs/unemployment.md.
"""
