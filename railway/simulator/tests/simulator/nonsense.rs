//! Nonsense is answered, whatever it is.

use crate::client::{APPLY, Client, create_service};
use serde_json::{Value, json};

/// Enough chance for a test: a linear congruence.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn value(&mut self, words: &[String], depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 12 }) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(self.below(5)),
            3 => json!(""),
            4 => json!(words[self.below(words.len())]),
            5 => json!([self.below(3)]),
            _ => {
                let size = self.below(4);
                let fields = (0..size).map(|_| {
                    let key = words[self.below(words.len())].clone();
                    (key, self.value(words, depth - 1))
                });
                Value::Object(fields.collect())
            }
        }
    }
}

const WORDS: [&str; 40] = [
    "services",
    "sharedVariables",
    "volumes",
    "buckets",
    "groups",
    "source",
    "image",
    "repo",
    "build",
    "deploy",
    "networking",
    "variables",
    "volumeMounts",
    "serviceDomains",
    "customDomains",
    "tcpProxies",
    "multiRegionConfig",
    "numReplicas",
    "registryCredentials",
    "value",
    "isSealed",
    "generator",
    "secret(3)",
    "isCreated",
    "isDeleted",
    "us-west2",
    "80",
    "x.up.railway.app",
    "a.example.com",
    "mountPath",
    "name",
    "resource",
    "address",
    "service.web",
    "volume.data",
    "kind",
    "field",
    "after",
    "password",
    "healthcheckPath",
];

#[tokio::test(start_paused = true)]
async fn no_patch_and_no_change_set_breaks_the_simulator() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    let web = client
        .simulator
        .inventory()
        .project("shop")
        .unwrap()
        .services[0]
        .id
        .clone();
    let mut words: Vec<String> = WORDS.map(str::to_owned).to_vec();
    words.push(web.clone());
    let mut chance = Chance(1);
    let commit = "mutation($e: String!, $p: EnvironmentConfig) {
        environmentPatchCommit(environmentId: $e, patch: $p) }";
    let read = "query($e: String!) { environment(id: $e) { config configEtag
        serviceInstances { edges { node { id numReplicas source { image } builder startCommand
            domains { serviceDomains { id targetPort } customDomains { id } } latestDeployment { id meta } } } } } }";
    for round in 0..400 {
        let patch = match round % 3 {
            0 => chance.value(&words, 4),
            1 => json!({"services": {&web: chance.value(&words, 3)}}),
            _ => json!({"services": {&web: {"networking": chance.value(&words, 2),
                "deploy": chance.value(&words, 2), "variables": chance.value(&words, 2)}}}),
        };
        client
            .send(commit, json!({"e": environment, "p": patch}))
            .await
            .unwrap();
        let kind = ["resource.create", "resource.update", "variable.set"][round % 3];
        let change = json!({"kind": kind,
            "address": "service.web", "field": words[chance.below(words.len())], "variable": "A",
            "resource": chance.value(&words, 3), "after": chance.value(&words, 3)});
        let input = crate::client::change_set(json!([change]));
        client
            .send(APPLY, json!({"e": environment, "i": input}))
            .await
            .unwrap();
        let answer = client.send(read, json!({"e": environment})).await.unwrap();
        assert_eq!(answer.status, 200, "{patch}");
    }
    client.settle();
    let inventory = client.simulator.inventory();
    assert_eq!(inventory.projects.len(), 1);
}
