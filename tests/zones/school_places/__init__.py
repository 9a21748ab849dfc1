"""Tests of the school-places zone."""
