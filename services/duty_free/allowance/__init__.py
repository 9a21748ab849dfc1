"""The duty-free allowance (免税额度): what a person may buy in a year and on a trip, and what they ordered.

From the bottom up: `rule_table` (dated figures), `basket` and `rules` (what is free), `order_rules` (what
speaks against an order), `ledger` (the year's quota), `ordering` and `settling` (what becomes of an order).
Source: docs/domain.md §8.1, §8.2.
"""
