//! What is asked about environments and templates as a whole: what they come to, what runs, what a copy would be.

use mirage_specs::CopyOptions;
use mirage_specs::copy::{Difference, Obstacle};
use schemars::JsonSchema;
use serde_json::Value;

use super::operations::{Answer, In, Operation, SchemaOf, of, text};
use crate::product::effective::EffectiveView;
use crate::product::running::Running;
use crate::product::template_plan::TemplatePlan;

/// An environment as answers name it.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[allow(dead_code, reason = "it stands for what is sent")]
struct Named {
    /// Mirage's id.
    environment_id: Option<String>,
    /// Railway's id, once it has one.
    railway_environment_id: Option<String>,
    /// Its namespace.
    namespace: String,
    /// Its name.
    name: String,
}

/// A copy that was begun.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[allow(dead_code, reason = "it stands for what is sent")]
struct Cloned {
    #[schemars(flatten)]
    copy: Named,
    /// What it was made from.
    source: Named,
    /// The new Environment. Its status says how far each service is.
    object: Value,
    /// The copy beside its source.
    difference: Vec<Difference>,
    /// What is worth knowing.
    notes: Vec<String>,
}

/// A copy as it would be made.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[allow(dead_code, reason = "it stands for what is sent")]
struct ClonePreview {
    /// What it would be made from.
    source: Named,
    /// The Environment to make.
    object: Value,
    /// The copy beside its source.
    difference: Vec<Difference>,
    /// What is worth knowing.
    notes: Vec<String>,
    /// Why it must not be made like this; empty when it may.
    refusals: Vec<Obstacle>,
    /// What it takes on Railway; absent when it is refused.
    plan: Option<Value>,
    /// The same in words.
    lines: Option<Vec<String>>,
    /// Requests to Railway that it takes.
    requests: Option<usize>,
}

/// One relative of an environment.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[allow(dead_code, reason = "it stands for what is sent")]
struct Relative {
    #[schemars(flatten)]
    place: Named,
    /// Mirage's id of what it was made from.
    parent_id: Option<String>,
    /// Whether it is still there.
    exists: bool,
    /// Its phase.
    phase: Option<String>,
    /// When it was made, RFC 3339.
    created_at: Option<String>,
}

/// What was made from an environment.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "it stands for what is sent")]
struct Clones {
    #[schemars(flatten)]
    environment: Named,
    /// The copies.
    clones: Vec<Relative>,
}

/// Where an environment comes from, and what came of it.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "it stands for what is sent")]
struct Lineage {
    #[schemars(flatten)]
    environment: Named,
    /// The nearest first.
    ancestors: Vec<Relative>,
    /// Each with its parent.
    descendants: Vec<Relative>,
}

const READING: Operation = Operation {
    id: "",
    tag: "environments",
    method: "get",
    path: "",
    summary: "",
    words: "",
    query: &[],
    body: In::Nothing,
    answer: Answer::Json(of::<Value>),
    is_open: false,
};

const fn about(
    id: &'static str,
    path: &'static str,
    summary: &'static str,
    words: &'static str,
    answer: SchemaOf,
) -> Operation {
    Operation {
        id,
        path,
        summary,
        words,
        answer: Answer::Json(answer),
        ..READING
    }
}

const CLONE: &str = "/api/v1/environments/{id}/clone";
const PREVIEW: &str = "/api/v1/environments/{id}/clone-preview";
const EFFECTIVE: &str = "/api/v1/environments/{namespace}/{name}/effective";

/// All of them.
pub(super) const OPERATIONS: &[Operation] = &[
    about(
        "effectiveEnvironment",
        EFFECTIVE,
        "What an Environment comes to, and where each value is from",
        "Secrets stand there as references, with a keyed fingerprint. Needs the right to `get` the environment and its template.",
        of::<EffectiveView>,
    ),
    Operation {
        method: "post",
        body: In::Environment,
        ..about(
            "effectiveOfSpec",
            EFFECTIVE,
            "The same for an Environment that is not applied",
            "Nothing is stored.",
            of::<EffectiveView>,
        )
    },
    Operation {
        tag: "plans",
        method: "post",
        body: In::Json(of::<Value>),
        ..about(
            "planTemplate",
            "/api/v1/templates/{namespace}/{name}/plan",
            "What a template would change about its environments",
            "The template in the body, or without one as it is stored. The environments come in the order in which the change \
             would reach them.",
            of::<TemplatePlan>,
        )
    },
    about(
        "runningServices",
        "/api/v1/environments/{namespace}/{name}/running",
        "What the services of an Environment run",
        "The newest deployment of each, as Railway says.",
        of::<Running>,
    ),
    Operation {
        tag: "copies",
        method: "post",
        body: In::Json(of::<CopyOptions>),
        ..about(
            "cloneEnvironment",
            CLONE,
            "Make a copy of an Environment",
            "One write; the copy's own reconcile does the rest and tells of it in its status. Values go from Railway to Railway. \
             Needs the rights to `get` the source and to `create` environments in the copy's namespace.",
            of::<Cloned>,
        )
    },
    Operation {
        tag: "copies",
        query: &[
            text("name", "Name of the copy."),
            text("namespace", "Its namespace; the source's when absent."),
            text("type", "What it is for; as the source when absent."),
            text("ttl", "How long it lives; as the source when absent."),
            text("include", "Only these services, separated by commas."),
            text("exclude", "Not these services, separated by commas."),
            text("prefix", "Put before the name of every service."),
            text("suffix", "Put behind the name of every service."),
        ],
        ..about(
            "previewClone",
            PREVIEW,
            "What a copy would be",
            "With what differs from the source, and the plan. Nothing is made.",
            of::<ClonePreview>,
        )
    },
    Operation {
        tag: "copies",
        method: "post",
        body: In::Json(of::<CopyOptions>),
        ..about(
            "previewCloneWith",
            PREVIEW,
            "What a copy would be, with everything that may be asked of one",
            "Nothing is made.",
            of::<ClonePreview>,
        )
    },
    Operation {
        tag: "copies",
        ..about(
            "listClones",
            "/api/v1/environments/{id}/clones",
            "The copies of an Environment",
            "Those that are there and that the caller may see.",
            of::<Clones>,
        )
    },
    Operation {
        tag: "copies",
        ..about(
            "environmentLineage",
            "/api/v1/environments/{id}/lineage",
            "What an Environment was made from, and what was made from it",
            "Also what is gone, as far as its copies remember it.",
            of::<Lineage>,
        )
    },
];
