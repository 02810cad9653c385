"""Watch: from now on, from a version on, and again after the end."""

import threading
import unittest

from kubernetes import client, watch

from environments import PLACE, connect, environment


class Watching(unittest.TestCase):
    def setUp(self):
        self.api = connect()
        self.api.delete_collection_namespaced_custom_object(*PLACE)

    def events(self, wanted, **by):
        """The next events, as many as wanted; fewer where the server ended the watch before."""
        seen = []
        watcher = watch.Watch()
        for event in watcher.stream(self.api.list_namespaced_custom_object, *PLACE, **by):
            seen.append((event["type"], event["object"]["metadata"]["name"]))
            if len(seen) == wanted:
                watcher.stop()
        return seen

    def test_a_watch_without_a_version_begins_with_what_is_there(self):
        for name in ("first", "second"):
            self.api.create_namespaced_custom_object(*PLACE, environment(name))
        seen = self.events(3, timeout_seconds=1)
        self.assertEqual(seen, [("ADDED", "first"), ("ADDED", "second")])

    def test_a_watch_goes_on_from_the_version_of_a_list(self):
        self.api.create_namespaced_custom_object(*PLACE, environment("before"))
        version = self.api.list_namespaced_custom_object(*PLACE)["metadata"]["resourceVersion"]
        self.api.create_namespaced_custom_object(*PLACE, environment("web"))
        self.api.patch_namespaced_custom_object(*PLACE, "web", {"spec": {"suspend": True}})
        self.api.delete_namespaced_custom_object(*PLACE, "web")
        seen = self.events(3, resource_version=version, timeout_seconds=30)
        self.assertEqual(seen, [("ADDED", "web"), ("MODIFIED", "web"), ("DELETED", "web")])

    def test_a_watch_that_the_server_ends_is_resumed_without_a_gap_or_a_repeat(self):
        version = self.api.list_namespaced_custom_object(*PLACE)["metadata"]["resourceVersion"]
        seen = []
        for number in range(3):
            self.api.create_namespaced_custom_object(*PLACE, environment(f"e{number}"))
            watcher = watch.Watch()
            stream = watcher.stream(
                self.api.list_namespaced_custom_object,
                *PLACE,
                resource_version=version,
                timeout_seconds=1,
                allow_watch_bookmarks=True,
            )
            for event in stream:
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    seen.append((event["type"], event["object"]["metadata"]["name"]))
        self.assertEqual(seen, [("ADDED", "e0"), ("ADDED", "e1"), ("ADDED", "e2")])

    def test_what_enters_and_leaves_a_selection_is_added_and_deleted(self):
        version = self.api.list_namespaced_custom_object(*PLACE)["metadata"]["resourceVersion"]
        self.api.create_namespaced_custom_object(*PLACE, environment("web", tier="back"))
        for tier in ("front", "back"):
            self.api.patch_namespaced_custom_object(*PLACE, "web", {"metadata": {"labels": {"tier": tier}}})
        seen = self.events(2, resource_version=version, label_selector="tier=front", timeout_seconds=30)
        self.assertEqual(seen, [("ADDED", "web"), ("DELETED", "web")])

    def test_a_change_reaches_a_watch_that_waits(self):
        version = self.api.list_namespaced_custom_object(*PLACE)["metadata"]["resourceVersion"]
        seen = []
        waiting = threading.Thread(
            target=lambda: seen.extend(self.events(1, resource_version=version, timeout_seconds=30))
        )
        waiting.start()
        self.api.create_namespaced_custom_object(*PLACE, environment("late"))
        waiting.join()
        self.assertEqual(seen, [("ADDED", "late")])

    def test_a_version_that_the_server_never_gave_out_is_gone(self):
        with self.assertRaises(client.ApiException) as refused:
            self.events(1, resource_version="9000000000", timeout_seconds=5)
        self.assertEqual(refused.exception.status, 410)


if __name__ == "__main__":
    unittest.main()
