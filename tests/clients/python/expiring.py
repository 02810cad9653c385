"""Versions that the server no longer knows: how each way of watching finds that out, and goes on."""

import threading
import unittest

from kubernetes import client, watch
from kubernetes.informer import SharedInformer

from environments import PLACE, connect, environment


def please(wish):
    """Asks the test for what only it can do, and waits until it is done."""
    print(f"please {wish}", flush=True)
    input()


class Expiring(unittest.TestCase):
    def setUp(self):
        self.api = connect()
        self.api.delete_collection_namespaced_custom_object(*PLACE)

    def test_a_watch_from_a_forgotten_version_is_gone_and_a_list_heals_it(self):
        listed = self.api.list_namespaced_custom_object(*PLACE)
        old = listed["metadata"]["resourceVersion"]
        self.api.create_namespaced_custom_object(*PLACE, environment("web"))
        please("forget")
        with self.assertRaises(client.ApiException) as refused:
            for event in watch.Watch().stream(
                self.api.list_namespaced_custom_object, *PLACE, resource_version=old, timeout_seconds=30
            ):
                self.fail(f"{event} came from a version that is forgotten")
        self.assertEqual(refused.exception.status, 410)
        self.assertIn("Expired", str(refused.exception.reason))

        listed = self.api.list_namespaced_custom_object(*PLACE)
        self.assertEqual([item["metadata"]["name"] for item in listed["items"]], ["web"])
        self.api.delete_namespaced_custom_object(*PLACE, "web")
        version = listed["metadata"]["resourceVersion"]
        for event in watch.Watch().stream(
            self.api.list_namespaced_custom_object, *PLACE, resource_version=version, timeout_seconds=30
        ):
            self.assertEqual(event["type"], "DELETED")
            break

    def test_an_informer_lists_again_by_itself(self):
        core = client.CoreV1Api()
        seen, arrived = [], threading.Condition()

        def told(kind):
            def tell(thing):
                with arrived:
                    seen.append((kind, thing.metadata.name))
                    arrived.notify_all()

            return tell

        def wait_for(event):
            with arrived:
                self.assertTrue(arrived.wait_for(lambda: event in seen, timeout=60), seen)

        informer = SharedInformer(core.list_namespaced_config_map, namespace="default", resync_period=1)
        for kind in ("ADDED", "MODIFIED", "DELETED"):
            informer.add_event_handler(kind, told(kind))
        informer.start()
        try:
            named = client.V1ObjectMeta(name="notes")
            core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=named, data={"a": "1"}))
            wait_for(("ADDED", "notes"))
            # From here on the version that the informer holds may be one that the server has forgotten.
            please("forget")
            core.patch_namespaced_config_map("notes", "default", {"data": {"a": "2"}})
            wait_for(("MODIFIED", "notes"))
            please("forget")
            core.delete_namespaced_config_map("notes", "default")
            wait_for(("DELETED", "notes"))
            self.assertEqual(informer.cache.list(), [])
        finally:
            informer.stop()


if __name__ == "__main__":
    unittest.main()
