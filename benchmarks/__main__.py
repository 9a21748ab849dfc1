"""Every benchmark, one after the other."""

from benchmarks import verify, verify_offline

verify.main()
verify_offline.main()
