"""The kernel of 海易办: what every service zone shares."""

__version__ = "0.2.0"
