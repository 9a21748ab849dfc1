"""Every benchmark, one after the other."""

from benchmarks import verify

verify.main()
