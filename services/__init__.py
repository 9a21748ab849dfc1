"""The service zones of 海易办, one folder each."""
