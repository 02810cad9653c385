//! Every operation below `/api/v1` that is Mirage's own, in the order of the book.

use mirage_specs::catalog::{Listed, RailwayDeployment, RailwayEnvironment, RailwayProject};
use mirage_specs::found::FoundServices;
use mirage_specs::import::{ImportOperation, ImportRequest};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::{environments, server};
use crate::audit::Record;
use crate::plan::PlannedChange;
use crate::product::export::{SaveAsTemplate, SavedTemplate};

/// Gives a type's schema.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One operation.
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    /// In lower case, as OpenAPI has it.
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) words: &'static str,
    pub(super) query: &'static [Parameter],
    pub(super) body: In,
    pub(super) answer: Answer,
    /// Whether it needs no token.
    pub(super) is_open: bool,
}

/// A query parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) required: bool,
    pub(super) words: &'static str,
}

/// What is sent.
#[derive(Clone, Copy)]
pub(super) enum In {
    Nothing,
    /// A manifest, as JSON or YAML.
    Environment,
    Json(SchemaOf),
}

/// What is answered.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    Json(SchemaOf),
    /// A text of one of these types.
    Text(&'static [&'static str]),
}

/// A page of the audit log.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "it stands for what is sent")]
struct AuditPage {
    /// The records.
    items: Vec<Record>,
    /// Asks for the next page; absent on the last one.
    #[serde(rename = "continue")]
    next: Option<String>,
}

/// Where webhooks of Railway's go.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "it stands for what is sent")]
struct WebhookAddress {
    /// The path, behind the server's address.
    path: String,
}

pub(super) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

pub(super) const fn text(name: &'static str, words: &'static str) -> Parameter {
    Parameter {
        name,
        kind: "string",
        required: false,
        words,
    }
}

const fn number(name: &'static str, words: &'static str) -> Parameter {
    Parameter {
        name,
        kind: "integer",
        required: false,
        words,
    }
}

const NAMESPACE: Parameter = text(
    "namespace",
    "Namespace of the objects; `default` when absent.",
);
const ACCOUNT: Parameter = text(
    "account",
    "Name of the RailwayAccount that looks, as seen from the namespace; `default` when absent.",
);
const BROWSING: &[Parameter] = &[NAMESPACE, ACCOUNT];

/// A look at Railway.
const fn look(
    id: &'static str,
    path: &'static str,
    summary: &'static str,
    words: &'static str,
    answer: SchemaOf,
) -> Operation {
    Operation {
        id,
        tag: "railway",
        method: "get",
        path,
        summary,
        words,
        query: BROWSING,
        body: In::Nothing,
        answer: Answer::Json(answer),
        is_open: false,
    }
}

/// Plans, the log, Railway, and what goes from one form into another.
const OPERATIONS: &[Operation] = &[
    Operation {
        id: "planEnvironment",
        tag: "plans",
        method: "post",
        path: "/api/v1/plan",
        summary: "What applying an Environment would do",
        words: "Nothing is stored and nothing is changed on Railway. Needs the right to `get` the environment, and to `create` or \
                `patch` it where the spec is not the stored one.",
        query: &[NAMESPACE],
        body: In::Environment,
        answer: Answer::Json(of::<PlannedChange>),
        is_open: false,
    },
    Operation {
        id: "listAuditRecords",
        tag: "audit",
        method: "get",
        path: "/api/v1/audit",
        summary: "Who did what",
        words: "Pages of the audit log, or with `follow` a record a line as they come. Needs the right to `list` (or `watch`) \
                `auditrecords`.",
        query: &[
            NAMESPACE,
            text("name", "Only about objects of this name."),
            text(
                "resource",
                "Only about objects of this resource, as `environments`.",
            ),
            text("user", "Only what this user did."),
            text("verb", "Only this verb."),
            text("outcome", "`done`, `refused`, or an HTTP status."),
            text("since", "Not before this time, RFC 3339."),
            text("until", "Not after this time, RFC 3339."),
            text("order", "`newest` (the default) or `oldest` first."),
            text("continue", "From where the page before ended."),
            number("limit", "Records in a page: 100 when absent, at most 1000."),
            Parameter {
                name: "follow",
                kind: "boolean",
                required: false,
                words: "Go on as the log grows.",
            },
            Parameter {
                name: "routine",
                kind: "boolean",
                required: false,
                words: "`false` leaves out what the server's own parts do all day.",
            },
        ],
        body: In::Nothing,
        answer: Answer::Json(of::<AuditPage>),
        is_open: false,
    },
    Operation {
        id: "railwayWebhookAddress",
        tag: "webhooks",
        method: "get",
        path: "/api/v1/webhooks/railway",
        summary: "Where Railway's webhooks about an environment go",
        words: "The path holds a token of its own and is to be treated like one.",
        query: &[
            NAMESPACE,
            Parameter {
                name: "name",
                kind: "string",
                required: true,
                words: "Name of the Environment.",
            },
        ],
        body: In::Nothing,
        answer: Answer::Json(of::<WebhookAddress>),
        is_open: false,
    },
    look(
        "listRailwayProjects",
        "/api/v1/railway/projects",
        "The projects that an account sees on Railway",
        "With how many environments Mirage keeps in each. Needs the right to `list` `railwayprojects`. At most a minute old.",
        of::<Listed<RailwayProject>>,
    ),
    look(
        "listRailwayEnvironments",
        "/api/v1/railway/projects/{project}/environments",
        "The environments of a project on Railway",
        "Managed or external, with one state for all of each one's services. Needs the right to `list` `railwayprojects`.",
        of::<Listed<RailwayEnvironment>>,
    ),
    look(
        "getRailwayEnvironment",
        "/api/v1/railway/projects/{project}/environments/{environment}",
        "One environment on Railway with its services",
        "Costs one request to Railway, as a person's. Needs the right to `get` `railwayprojects`.",
        of::<RailwayEnvironment>,
    ),
    Operation {
        query: &[
            NAMESPACE,
            ACCOUNT,
            number("limit", "How many at most: 20 when absent, at most 100."),
        ],
        ..look(
            "listRailwayDeployments",
            "/api/v1/railway/projects/{project}/environments/{environment}/services/{service}/deployments",
            "The newest deployments of a service on Railway",
            "Newest first. Costs one request to Railway, as a person's. Needs the right to `list` `railwayprojects`.",
            of::<Listed<RailwayDeployment>>,
        )
    },
    Operation {
        id: "findServices",
        tag: "repositories",
        method: "get",
        path: "/api/v1/repositories/{owner}/{name}/services",
        summary: "What a repository on GitHub holds that could run",
        words: "Found by its Compose file and by the files that tell of a service in a folder. Costs two or three requests to \
                GitHub. Needs the right to `create` `environments` in the namespace, and to `get` the secret.",
        query: &[
            NAMESPACE,
            text(
                "ref",
                "A branch, tag or commit; the default branch when absent.",
            ),
            text(
                "secret",
                "Name of a Secret with a credential for GitHub (as for a PreviewPolicy); without one, what everybody sees.",
            ),
        ],
        body: In::Nothing,
        answer: Answer::Json(of::<FoundServices>),
        is_open: false,
    },
    Operation {
        id: "validateImport",
        tag: "import",
        method: "post",
        path: "/api/v1/import/validate",
        summary: "What would come of taking environments over",
        words: "Each with the Environment that would be made, what stands in the way, and what the spec cannot say. Needs the \
                right to `get` `railwayprojects`, and `get` `railwayprojects/values` for `plain`.",
        query: &[],
        body: In::Json(of::<ImportRequest>),
        answer: Answer::Json(of::<ImportOperation>),
        is_open: false,
    },
    Operation {
        id: "import",
        tag: "import",
        method: "post",
        path: "/api/v1/import",
        summary: "Take environments over",
        words: "Makes an Environment for everything that can be imported. Railway gets one mark each, and only when the spec \
                describes exactly what is there. Needs the rights to `create` `environments` and to `import` `railwayprojects` besides, in \
                the namespace of each.",
        query: &[],
        body: In::Json(of::<ImportRequest>),
        answer: Answer::Json(of::<ImportOperation>),
        is_open: false,
    },
    Operation {
        id: "getImport",
        tag: "import",
        method: "get",
        path: "/api/v1/import/{id}",
        summary: "How far an import is",
        words: "Read from the Environments that it made, so it outlives the server's restarts.",
        query: &[],
        body: In::Nothing,
        answer: Answer::Json(of::<ImportOperation>),
        is_open: false,
    },
    Operation {
        id: "exportEnvironment",
        tag: "export",
        method: "get",
        path: "/api/v1/environments/{namespace}/{name}/export",
        summary: "An Environment in another format",
        words: "Secrets stay references. What a format cannot say stands in comments at its top.",
        query: &[
            text(
                "format",
                "`spec` (the default), `template`, `compose` or `railway.ts`.",
            ),
            text("name", "With `format=template`: the template's name."),
        ],
        body: In::Nothing,
        answer: Answer::Text(&["application/yaml", "text/plain"]),
        is_open: false,
    },
    Operation {
        id: "saveAsTemplate",
        tag: "export",
        method: "post",
        path: "/api/v1/environments/{namespace}/{name}/save-as-template",
        summary: "Make a template from an Environment",
        words: "Needs the right to `create` `environmenttemplates` in the namespace.",
        query: &[],
        body: In::Json(of::<SaveAsTemplate>),
        answer: Answer::Json(of::<SavedTemplate>),
        is_open: false,
    },
    Operation {
        id: "openApiDocument",
        tag: "about",
        method: "get",
        path: "/api/v1/openapi.json",
        summary: "This document",
        words: "OpenAPI 3.1.",
        query: &[],
        body: In::Nothing,
        answer: Answer::Json(of::<Value>),
        is_open: false,
    },
    Operation {
        id: "openApiPage",
        tag: "about",
        method: "get",
        path: "/api/v1/docs",
        summary: "This document as a page",
        words: "Without a script and without anything from elsewhere.",
        query: &[],
        body: In::Nothing,
        answer: Answer::Text(&["text/html"]),
        is_open: true,
    },
];

/// Every operation there is.
pub(super) fn all() -> impl Iterator<Item = &'static Operation> {
    let more = environments::OPERATIONS.iter().chain(server::OPERATIONS);
    OPERATIONS.iter().chain(more)
}

/// The parameters in a path.
pub(super) fn in_path(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// What a segment of a path is.
pub(super) fn segment(name: &str) -> &'static str {
    match name {
        "project" => "Project, by name or Railway's id.",
        "environment" => "Environment of the project, by name or Railway's id.",
        "service" => "Service of the environment, by name or Railway's id.",
        "id" => "Mirage's id of it, from an answer; of an environment, Railway's id too.",
        "namespace" => "Namespace of the object.",
        "name" => "Name of the object.",
        _ => "",
    }
}
