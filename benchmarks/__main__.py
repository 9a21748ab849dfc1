"""Every benchmark, one after the other."""

from benchmarks import matching, verify, verify_offline

verify.main()
verify_offline.main()
matching.main()
