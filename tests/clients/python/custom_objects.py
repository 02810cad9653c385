"""CustomObjectsApi: what most Python programs use for kinds that are not built in."""

import unittest

from kubernetes import client

from environments import GROUP, NAMESPACE, PLACE, PLURAL, VERSION, connect, environment


def names(found):
    return [item["metadata"]["name"] for item in found["items"]]


class CustomObjects(unittest.TestCase):
    def setUp(self):
        self.api = connect()
        self.api.delete_collection_namespaced_custom_object(*PLACE)

    def test_an_object_is_made_read_and_removed(self):
        made = self.api.create_namespaced_custom_object(*PLACE, environment("web"))
        self.assertEqual(made["metadata"]["generation"], 1)
        read = self.api.get_namespaced_custom_object(*PLACE, "web")
        self.assertEqual(read["metadata"]["uid"], made["metadata"]["uid"])

        with self.assertRaises(client.ApiException) as refused:
            self.api.create_namespaced_custom_object(*PLACE, environment("web"))
        self.assertEqual(refused.exception.status, 409)
        self.assertIn("AlreadyExists", refused.exception.body)

        gone = self.api.delete_namespaced_custom_object(
            *PLACE, "web", body=client.V1DeleteOptions(propagation_policy="Background")
        )
        self.assertEqual(gone["status"], "Success")
        self.assertEqual(gone["details"]["uid"], made["metadata"]["uid"])
        with self.assertRaises(client.ApiException) as absent:
            self.api.get_namespaced_custom_object(*PLACE, "web")
        self.assertEqual(absent.exception.reason, "Not Found")

    def test_delete_options_are_taken_from_the_query_too(self):
        made = self.api.create_namespaced_custom_object(*PLACE, environment("web"))
        kept = self.api.delete_namespaced_custom_object(*PLACE, "web", dry_run="All", grace_period_seconds=0)
        self.assertEqual(kept["status"], "Success")
        wrong = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="someone-elses"))
        with self.assertRaises(client.ApiException) as refused:
            self.api.delete_namespaced_custom_object(*PLACE, "web", body=wrong)
        self.assertEqual(refused.exception.status, 409)
        still = self.api.get_namespaced_custom_object(*PLACE, "web")
        self.assertEqual(still["metadata"]["uid"], made["metadata"]["uid"])

    def test_a_patch_without_a_type_is_a_merge_patch(self):
        self.api.create_namespaced_custom_object(*PLACE, environment("web"))
        patch = {"spec": {"variables": {"LOG_LEVEL": None, "REGION": "eu"}}}
        patched = self.api.patch_namespaced_custom_object(*PLACE, "web", patch)
        self.assertEqual(patched["spec"]["variables"], {"REGION": "eu"})
        self.assertEqual(patched["metadata"]["generation"], 2)
        again = self.api.patch_namespaced_custom_object(
            *PLACE, "web", patch, _content_type="application/merge-patch+json"
        )
        self.assertEqual(again["metadata"]["resourceVersion"], patched["metadata"]["resourceVersion"])

    def test_a_list_of_operations_needs_its_type(self):
        self.api.create_namespaced_custom_object(*PLACE, environment("web"))
        operations = [{"op": "replace", "path": "/spec/variables/LOG_LEVEL", "value": "debug"}]
        with self.assertRaises(client.ApiException) as refused:
            self.api.patch_namespaced_custom_object(
                *PLACE, "web", operations, _content_type="application/merge-patch+json"
            )
        self.assertEqual(refused.exception.status, 400)
        patched = self.api.patch_namespaced_custom_object(
            *PLACE, "web", operations, _content_type="application/json-patch+json"
        )
        self.assertEqual(patched["spec"]["variables"]["LOG_LEVEL"], "debug")

    def test_an_apply_patch_owns_what_it_sends(self):
        def apply():
            return self.api.patch_namespaced_custom_object(
                *PLACE,
                "web",
                environment("web"),
                field_manager="python",
                force=True,
                _content_type="application/apply-patch+yaml",
            )

        # The client knows no 201 for a patch and gives nothing back when the apply created the object.
        apply()
        applied = apply()
        self.assertEqual(applied["metadata"]["generation"], 1)
        owner = applied["metadata"]["managedFields"][0]
        self.assertEqual((owner["manager"], owner["operation"]), ("python", "Apply"))

    def test_a_stale_replacement_is_a_conflict(self):
        made = self.api.create_namespaced_custom_object(*PLACE, environment("web"))
        fresh = environment("web", level="debug")
        fresh["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
        replaced = self.api.replace_namespaced_custom_object(*PLACE, "web", fresh)
        self.assertEqual(replaced["metadata"]["generation"], 2)
        made["spec"]["variables"]["LOG_LEVEL"] = "trace"
        with self.assertRaises(client.ApiException) as refused:
            self.api.replace_namespaced_custom_object(*PLACE, "web", made)
        self.assertEqual(refused.exception.status, 409)
        self.assertIn("has been modified", refused.exception.body)

    def test_status_is_written_through_its_own_door(self):
        self.api.create_namespaced_custom_object(*PLACE, environment("web"))
        status = {"status": {"observedGeneration": 1}}
        ignored = self.api.patch_namespaced_custom_object(*PLACE, "web", status)
        self.assertNotIn("observedGeneration", ignored.get("status") or {})
        written = self.api.patch_namespaced_custom_object_status(*PLACE, "web", status)
        self.assertEqual(written["status"]["observedGeneration"], 1)
        read = self.api.get_namespaced_custom_object_status(*PLACE, "web")
        self.assertEqual(read["metadata"]["generation"], 1)
        read["status"]["observedGeneration"] = 2
        replaced = self.api.replace_namespaced_custom_object_status(*PLACE, "web", read)
        self.assertEqual(replaced["status"]["observedGeneration"], 2)

    def test_lists_are_paged_and_selected(self):
        for number in range(5):
            tier = "even" if number % 2 == 0 else "odd"
            self.api.create_namespaced_custom_object(*PLACE, environment(f"e{number}", tier=tier))
        page = self.api.list_namespaced_custom_object(*PLACE, limit=2)
        version, seen, pages = page["metadata"]["resourceVersion"], names(page), 1
        self.assertEqual(page["metadata"]["remainingItemCount"], 3)
        while token := page["metadata"].get("continue"):
            page = self.api.list_namespaced_custom_object(*PLACE, limit=2, _continue=token)
            self.assertEqual(page["metadata"]["resourceVersion"], version)
            seen, pages = seen + names(page), pages + 1
        self.assertEqual((seen, pages), (["e0", "e1", "e2", "e3", "e4"], 3))

        def selected(**by):
            return names(self.api.list_namespaced_custom_object(*PLACE, **by))

        self.assertEqual(selected(label_selector="tier in (odd), tier!=none"), ["e1", "e3"])
        self.assertEqual(selected(field_selector="metadata.name=e2"), ["e2"])
        everywhere = self.api.list_cluster_custom_object(GROUP, VERSION, PLURAL, label_selector="tier=even")
        self.assertEqual(names(everywhere), ["e0", "e2", "e4"])
        with self.assertRaises(client.ApiException) as refused:
            selected(field_selector="spec.nothing=1")
        self.assertEqual(refused.exception.status, 400)
        gone = self.api.delete_collection_namespaced_custom_object(*PLACE, label_selector="tier=odd")
        self.assertEqual(names(gone), ["e1", "e3"])
        self.assertEqual(selected(), ["e0", "e2", "e4"])

    def test_what_does_not_fit_the_schema_names_every_field(self):
        wrong = environment("web")
        wrong["spec"]["suspend"] = "perhaps"
        wrong["spec"]["services"]["web"]["source"]["image"] = 7
        with self.assertRaises(client.ApiException) as refused:
            self.api.create_namespaced_custom_object(*PLACE, wrong)
        self.assertEqual(refused.exception.status, 422)
        self.assertIn("spec.suspend", refused.exception.body)
        self.assertIn("source.image", refused.exception.body)

    def test_discovery_with_a_slash_at_its_end_is_understood(self):
        self.assertEqual(client.VersionApi().get_code().major, "1")
        groups = [group.name for group in client.ApisApi().get_api_versions().groups]
        self.assertIn(GROUP, groups)
        kinds = self.api.get_api_resources(GROUP, VERSION).resources
        self.assertIn("Environment", [kind.kind for kind in kinds])
        self.assertEqual(NAMESPACE, "default")


if __name__ == "__main__":
    unittest.main()
