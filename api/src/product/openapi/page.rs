//! The document as a page: plain HTML, no script, nothing from elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The page's looks. Its digest stands in the policy, so no other style is let in.
const STYLE: &str = "\
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h2{margin-top:3rem;border-top:1px solid #8885;padding-top:1rem}code,pre{font:14px/1.4 ui-monospace,monospace}\
.method{text-transform:uppercase;font-weight:700;margin-right:.6rem}table{border-collapse:collapse;width:100%}\
td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8883}\
pre{overflow:auto;padding:1rem;background:#8881;border-radius:6px}summary{cursor:pointer}";

/// The page and its content security policy.
pub(super) fn html(document: &Value) -> (String, String) {
    let mut body = String::new();
    let (info, none) = (&document["info"], Map::new());
    body.push_str(&format!(
        "<h1>{} <small>{}</small></h1><p>{}</p><p>For programs: <a href=\"/api/v1/openapi.json\">openapi.json</a></p>",
        text(&info["title"]),
        text(&info["version"]),
        text(&info["description"])
    ));
    for (path, methods) in document["paths"].as_object().unwrap_or(&none) {
        for (method, operation) in methods.as_object().unwrap_or(&none) {
            body.push_str(&section(path, method, operation));
        }
    }
    body.push_str("<h2>Schemas</h2>");
    let schemas = document["components"]["schemas"].as_object();
    for (name, schema) in schemas.unwrap_or(&none) {
        let json = serde_json::to_string_pretty(schema).unwrap_or_default();
        body.push_str(&format!(
            "<details id=\"{0}\"><summary><code>{0}</code> {1}</summary><pre>{2}</pre></details>",
            escaped(name),
            text(&schema["description"]),
            escaped(&json)
        ));
    }
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Mirage API</title><meta name=\"viewport\" \
         content=\"width=device-width\"><style>{STYLE}</style></head><body>{body}</body></html>"
    );
    let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    (page, policy)
}

fn section(path: &str, method: &str, operation: &Value) -> String {
    let mut html = format!(
        "<h2 id=\"{}\">{}</h2><p><span class=\"method\">{}</span><code>{}</code></p><p>{}</p>",
        text(&operation["operationId"]),
        text(&operation["summary"]),
        escaped(method),
        escaped(path),
        text(&operation["description"])
    );
    let parameters = operation["parameters"].as_array();
    let parameters = parameters.map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        html.push_str("<table><tr><th>Parameter</th><th>In</th><th>Meaning</th></tr>");
        for parameter in parameters {
            html.push_str(&format!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                text(&parameter["name"]),
                text(&parameter["in"]),
                text(&parameter["description"])
            ));
        }
        html.push_str("</table>");
    }
    for (title, content) in [
        ("Body", &operation["requestBody"]["content"]),
        ("Answer", &operation["responses"]["200"]["content"]),
    ] {
        let types = content.as_object();
        let shown: Vec<String> = types
            .into_iter()
            .flatten()
            .map(|(media_type, content)| {
                format!(
                    "<code>{}</code> {}",
                    escaped(media_type),
                    reference(&content["schema"])
                )
            })
            .collect();
        if !shown.is_empty() {
            html.push_str(&format!("<p>{title}: {}</p>", shown.join(", ")));
        }
    }
    html
}

/// A link to a schema that has a name.
fn reference(schema: &Value) -> String {
    let name = schema["$ref"]
        .as_str()
        .and_then(|reference| reference.rsplit('/').next());
    name.map_or_else(String::new, |name| {
        let name = escaped(name);
        format!("<a href=\"#{name}\"><code>{name}</code></a>")
    })
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

/// A text as HTML shows it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
