"""DynamicClient: finds kinds by discovery and can apply on the server's side."""

import unittest

from kubernetes import client
from kubernetes.dynamic import DynamicClient, exceptions

from environments import GROUP, NAMESPACE, PLACE, VERSION, connect, environment


class Dynamic(unittest.TestCase):
    def setUp(self):
        connect().delete_collection_namespaced_custom_object(*PLACE)
        self.client = DynamicClient(client.ApiClient())
        self.environments = self.client.resources.get(api_version=f"{GROUP}/{VERSION}", kind="Environment")

    def apply(self, manager, level, force=False):
        return self.environments.server_side_apply(
            environment("web", level),
            name="web",
            namespace=NAMESPACE,
            field_manager=manager,
            force_conflicts=force,
        )

    def test_kinds_are_found_by_name_short_name_and_group(self):
        self.assertTrue(self.environments.namespaced)
        self.assertEqual(self.environments.name, "environments")
        by_short_name = self.client.resources.get(short_names=["env", "envs"])
        self.assertEqual(by_short_name.kind, "Environment")
        self.assertIn("Orphan", [found.kind for found in self.client.resources.search(group=GROUP)])
        self.assertEqual(self.client.resources.get(api_version="v1", kind="Secret").name, "secrets")
        with self.assertRaises(exceptions.ResourceNotFoundError):
            self.client.resources.get(api_version="v1", kind="Pod")

    def test_an_apply_is_owned_and_a_second_manager_is_told_of_the_conflict(self):
        applied = self.apply("ann", "info")
        self.assertEqual(applied.metadata.managedFields[0].manager, "ann")
        again = self.apply("ann", "info")
        self.assertEqual(again.metadata.resourceVersion, applied.metadata.resourceVersion)
        with self.assertRaises(exceptions.ConflictError) as refused:
            self.apply("bob", "debug")
        self.assertIn('conflict with \\"ann\\"', refused.exception.body)
        self.assertIn(".spec.variables.LOG_LEVEL", refused.exception.body)
        forced = self.apply("bob", "debug", force=True)
        self.assertEqual(forced.spec.variables.LOG_LEVEL, "debug")

    def test_a_patch_without_a_type_is_strategic_and_refused_with_the_types_that_would_do(self):
        self.environments.create(body=environment("web"), namespace=NAMESPACE)
        change = {"spec": {"suspend": True}}
        with self.assertRaises(exceptions.DynamicApiError) as refused:
            self.environments.patch(name="web", namespace=NAMESPACE, body=change)
        self.assertEqual(refused.exception.status, 415)
        self.assertIn("application/merge-patch+json", refused.exception.body)
        patched = self.environments.patch(
            name="web", namespace=NAMESPACE, body=change, content_type="application/merge-patch+json"
        )
        self.assertTrue(patched.spec.suspend)

    def test_objects_are_read_replaced_watched_and_deleted(self):
        made = self.environments.create(body=environment("web", tier="front"), namespace=NAMESPACE)
        listed = self.environments.get(namespace=NAMESPACE, label_selector="tier=front")
        self.assertEqual([item.metadata.name for item in listed.items], ["web"])
        changed = made.to_dict()
        changed["spec"]["suspend"] = True
        self.environments.replace(body=changed, namespace=NAMESPACE)
        status = self.environments.status.patch(
            name="web",
            namespace=NAMESPACE,
            body={"status": {"observedGeneration": 2}},
            content_type="application/merge-patch+json",
        )
        self.assertEqual((status.status.observedGeneration, status.metadata.generation), (2, 2))
        self.environments.delete(name="web", namespace=NAMESPACE)
        seen = []
        for event in self.environments.watch(
            namespace=NAMESPACE, resource_version=listed.metadata.resourceVersion, name="web", timeout=30
        ):
            seen.append(event["type"])
            if event["type"] == "DELETED":
                break
        self.assertEqual(seen, ["MODIFIED", "MODIFIED", "DELETED"])

    def test_a_watch_can_begin_with_the_list_and_tells_where_it_ends(self):
        self.environments.create(body=environment("web"), namespace=NAMESPACE)
        seen = []
        for event in self.environments.watch(
            namespace=NAMESPACE,
            timeout=30,
            allow_watch_bookmarks=True,
            send_initial_events=True,
            resource_version_match="NotOlderThan",
        ):
            seen.append(event["type"])
            if event["type"] == "BOOKMARK":
                annotations = event["raw_object"]["metadata"]["annotations"]
                self.assertEqual(annotations, {"k8s.io/initial-events-end": "true"})
                break
        self.assertEqual(seen, ["ADDED", "BOOKMARK"])


if __name__ == "__main__":
    unittest.main()
