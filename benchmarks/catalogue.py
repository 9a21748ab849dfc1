"""Which benchmarks there are, in the order of a run, and where their results are kept."""

from pathlib import Path

NAMES = (
    "verify",
    "verify_offline",
    "claims",
    "rush",
    "reads",
    "matching",
    "growth",
    "sealing",
    "publication",
    "allocation",
    "lottery",
    "lists",
    "recolouring",
    "benefit",
    "searching",
    "growing",
    "partitions",
    "filling",
)
ONLY_FULL = frozenset(
    {
        "matching",
        "growth",
        "sealing",
        "publication",
        "allocation",
        "lottery",
        "benefit",
        "growing",
        "partitions",
        "filling",
    }
)
"""What the quick form leaves out: nobody waits for it, or it decided something once."""
RESULTS = Path(__file__).parent / "results" / "bench.json"
