"""Cross-province service (跨省通办) between independent deployments.

Source: docs/domain.md §9.
"""
