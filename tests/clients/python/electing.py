"""Leader election over a Lease, by the client's own helper: one leads, the other takes over when it stops renewing."""

import os
import sys
import threading
import unittest

from kubernetes import client
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from environments import NAMESPACE, connect


def candidate(name, on_leading):
    """Runs for election until it has lost what it won."""
    lock = LeaseLock("leader", NAMESPACE, name)
    terms = electionconfig.Config(
        lock, lease_duration=3, renew_deadline=2, retry_period=1, onstarted_leading=on_leading, onstopped_leading=None
    )
    election = threading.Thread(target=leaderelection.LeaderElection(terms).run, daemon=True)
    election.start()
    return lock


class Electing(unittest.TestCase):
    def test_one_leads_and_another_takes_over_when_it_falls_silent(self):
        connect()
        first_leads, second_leads = threading.Event(), threading.Event()
        first = candidate("first", first_leads.set)
        self.assertTrue(first_leads.wait(60))
        candidate("second", second_leads.set)
        lease = client.CoordinationV1Api().read_namespaced_lease("leader", NAMESPACE)
        self.assertEqual(lease.spec.holder_identity, "first")
        self.assertFalse(second_leads.is_set())
        # The process of the first dies: it renews no more.
        first.update = lambda *_: False
        self.assertTrue(second_leads.wait(60))
        lease = client.CoordinationV1Api().read_namespaced_lease("leader", NAMESPACE)
        self.assertEqual(lease.spec.holder_identity, "second")
        self.assertGreaterEqual(lease.spec.renew_time, lease.spec.acquire_time)


if __name__ == "__main__":
    outcome = unittest.main(exit=False).result
    # The candidates' threads never end, and Python may abort when it ends under threads that print.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if outcome.wasSuccessful() else 1)
