"""The typed APIs of the kinds around ours. They check what the server answers against their models and raise where
a field is missing."""

import base64
import datetime
import unittest

from kubernetes import client, watch

from environments import NAMESPACE, PLACE, connect, environment


class Around(unittest.TestCase):
    def setUp(self):
        self.custom = connect()
        self.core = client.CoreV1Api()

    def test_a_namespace_is_made_without_kind_and_goes_with_its_contents(self):
        wanted = client.V1Namespace(metadata=client.V1ObjectMeta(name="team-a"))
        made = self.core.create_namespace(wanted)
        self.assertEqual(made.status.phase, "Active")
        self.core.create_namespaced_config_map(
            "team-a", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="notes"), data={"a": "1"})
        )
        version = self.core.list_namespace().metadata.resource_version
        self.core.delete_namespace("team-a")
        for event in watch.Watch().stream(
            self.core.list_namespace, resource_version=made.metadata.resource_version, timeout_seconds=30
        ):
            if event["type"] == "DELETED":
                break
        self.assertEqual(event["type"], "DELETED")
        self.assertGreater(int(event["object"].metadata.resource_version), int(version))
        self.assertNotIn("team-a", [each.metadata.name for each in self.core.list_namespace().items])

    def test_a_secret_takes_plain_text_and_gives_base64(self):
        wanted = client.V1Secret(metadata=client.V1ObjectMeta(generate_name="key-"), string_data={"key": "value"})
        made = self.core.create_namespaced_secret(NAMESPACE, wanted)
        self.assertEqual(base64.b64decode(made.data["key"]), b"value")
        self.assertEqual(made.type, "Opaque")
        # The typed APIs send strategic merge patches, which built-in kinds take.
        name = made.metadata.name
        patched = self.core.patch_namespaced_secret(name, NAMESPACE, {"stringData": {"key": "other"}})
        self.assertEqual(base64.b64decode(patched.data["key"]), b"other")
        listed = self.core.list_namespaced_secret(NAMESPACE, field_selector=f"metadata.name={name}")
        self.assertEqual(len(listed.items), 1)
        self.core.delete_namespaced_secret(name, NAMESPACE)

    def test_a_config_map_lives_through_every_verb(self):
        named = client.V1ObjectMeta(name="settings")
        made = self.core.create_namespaced_config_map(NAMESPACE, client.V1ConfigMap(metadata=named, data={"a": "1"}))
        made.data["b"] = "2"
        replaced = self.core.replace_namespaced_config_map("settings", NAMESPACE, made)
        self.assertEqual(replaced.data, {"a": "1", "b": "2"})
        patched = self.core.patch_namespaced_config_map("settings", NAMESPACE, {"data": {"a": None}})
        self.assertEqual(patched.data, {"b": "2"})
        self.assertEqual(len(self.core.list_config_map_for_all_namespaces().items), 1)
        gone = self.core.delete_namespaced_config_map("settings", NAMESPACE)
        self.assertEqual(gone["status"], "Success")

    def test_an_event_of_either_group_is_read_in_both(self):
        self.custom.delete_collection_namespaced_custom_object(*PLACE)
        owner = self.custom.create_namespaced_custom_object(*PLACE, environment("web"))
        reference = client.V1ObjectReference(
            api_version=owner["apiVersion"],
            kind="Environment",
            name="web",
            namespace=NAMESPACE,
            uid=owner["metadata"]["uid"],
        )
        now = datetime.datetime.now(datetime.timezone.utc)
        news = client.EventsV1Event(
            metadata=client.V1ObjectMeta(generate_name="web."),
            regarding=reference,
            event_time=now,
            reporting_controller="python",
            reporting_instance="one",
            action="Note",
            reason="Noted",
            type="Normal",
            note="by the newer API",
        )
        client.EventsV1Api().create_namespaced_event(NAMESPACE, news)
        news = client.CoreV1Event(
            metadata=client.V1ObjectMeta(generate_name="web."),
            involved_object=reference,
            first_timestamp=now,
            last_timestamp=now,
            count=1,
            source=client.V1EventSource(component="python"),
            reason="Noted",
            type="Normal",
            message="by the older API",
        )
        self.core.create_namespaced_event(NAMESPACE, news)
        about_web = f"involvedObject.kind=Environment,involvedObject.name=web,involvedObject.uid={reference.uid}"
        old = self.core.list_namespaced_event(NAMESPACE, field_selector=about_web).items
        self.assertEqual({event.message for event in old}, {"by the newer API", "by the older API"})
        new = client.EventsV1Api().list_namespaced_event(NAMESPACE).items
        self.assertEqual({event.note for event in new}, {"by the newer API", "by the older API"})

    def test_reviews_say_who_asks_and_what_they_may(self):
        who = client.AuthenticationV1Api().create_self_subject_review(client.V1SelfSubjectReview())
        self.assertIn("system:masters", who.status.user_info.groups)
        api = client.AuthorizationV1Api()
        wish = client.V1ResourceAttributes(verb="delete", group="mirage.dev", resource="environments")
        review = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=wish)
        )
        self.assertTrue(api.create_self_subject_access_review(review).status.allowed)
        review = client.V1SelfSubjectRulesReview(spec=client.V1SelfSubjectRulesReviewSpec(namespace=NAMESPACE))
        rules = api.create_self_subject_rules_review(review).status.resource_rules
        self.assertTrue(any(rule.verbs == ["*"] for rule in rules))

    def test_definitions_of_our_kinds_are_read_by_the_typed_api(self):
        found = client.ApiextensionsV1Api().list_custom_resource_definition().items
        self.assertIn("environments.mirage.dev", [each.metadata.name for each in found])


if __name__ == "__main__":
    unittest.main()
