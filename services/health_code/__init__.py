"""Health code (健康码): a colour by rules that everybody can read, and what stands beside it.

Only the pure rules are here so far; there is no `zone` yet, so nothing serves them.
Source: docs/domain.md §5.
"""
