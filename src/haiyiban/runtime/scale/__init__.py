"""Filling a database with a made-up province or city (`haiyiban seed --scale`), stoppable and resumable.

The folders say which rows (`Zone.scale`), from people who are functions of a number
(`haiyiban.population`); this package says in which order, in how many processes, whether there is room, and
what is done already. Source: docs/province-scale.md.
"""
