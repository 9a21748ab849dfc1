"""Tests of the service zones, one folder each."""
