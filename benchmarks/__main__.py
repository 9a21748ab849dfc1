"""Every benchmark, one after the other."""

from benchmarks import growth, matching, publication, verify, verify_offline

verify.main()
verify_offline.main()
matching.main()
growth.main()
publication.main()
