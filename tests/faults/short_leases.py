"""`microblog worker`, unchanged but for its leases: six seconds instead of thirty.

    python -m tests.faults.short_leases worker

A test cannot wait for half a minute, and a site has no reason to set this.
"""

from __future__ import annotations

from datetime import timedelta

from microblog.mail import leases

SECONDS = 6.0

leases.LEASE = timedelta(seconds=SECONDS)
leases.RENEW = 1.0

from microblog.mail import supply  # noqa: E402 - it takes them over when it is imported

supply.TRUSTED = supply.WATCHED = SECONDS - 3.0

if __name__ == "__main__":
    from microblog.__main__ import main

    main()
