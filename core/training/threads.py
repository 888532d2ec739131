"""How torch's threads wait for one another."""

import os

# Rounds that a thread of libgomp spins before it sleeps. By default it spins for milliseconds, and where a browser or
# another program wants the second core, two threads mostly wait: measured beside three busy programs, 400 to 700
# examples a second became 1,200 to 8,900.
SPIN_ROUNDS = 10_000


def wait_patiently() -> None:
    """For this process's threads to come; call it before torch is imported, which is when libgomp reads it."""
    os.environ.setdefault("GOMP_SPINCOUNT", str(SPIN_ROUNDS))
