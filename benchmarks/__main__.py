"""Every benchmark, one after the other."""

from benchmarks import claims, growth, matching, publication, verify, verify_offline

verify.main()
verify_offline.main()
claims.main()
matching.main()
growth.main()
publication.main()
