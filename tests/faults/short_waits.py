"""`microblog worker`, unchanged but for two of its waits.

    python -m tests.faults.short_waits worker

Leases last three seconds instead of thirty, and a mail server that was away is tried again after a
fraction of a second.  A test cannot wait for half a minute, and a site has no reason to set this.
"""

from __future__ import annotations

from datetime import timedelta

from microblog.mail import leases, pause

SECONDS = 3.0
TRUSTED = 1.5  # less, as in microblog.mail.supply

leases.LEASE = timedelta(seconds=SECONDS)
leases.RENEW = 0.5
pause.FIRST, pause.LONGEST = 0.2, 1.0

from microblog.mail import supply  # noqa: E402 - it takes them over when it is imported

supply.TRUSTED = supply.WATCHED = TRUSTED

if __name__ == "__main__":
    from microblog.__main__ import main

    main()
