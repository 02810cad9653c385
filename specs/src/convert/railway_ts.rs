//! An Environment as Railway's own `.railway/railway.ts` (docs.railway.com: infrastructure as code).
//!
//! Secrets become `preserve()`: the value that Railway has is kept. Literals that are nothing but references keep Railway's
//! spelling (`${{…}}`), which the file's readers accept as text.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Remarks, Written, entries};
use crate::{engine, environment::EnvironmentSpec, quantity::parse_bytes, service::ServiceSpec};

/// Writes a merged spec: templates filled in, repositories inherited.
///
/// # Errors
/// When the spec cannot be written as JSON, which is a mistake of ours.
pub fn write(name: &str, spec: &EnvironmentSpec) -> Result<Written, serde_json::Error> {
    let spec = serde_json::to_value(spec)?;
    let mut file = File {
        imports: BTreeSet::from(["defineRailway", "project"]),
        constants: BTreeSet::new(),
        lines: Vec::new(),
        resources: Vec::new(),
        remarks: Remarks::default(),
    };
    for (service, found) in entries(&spec["services"]).filter(|(_, found)| !found.is_null()) {
        file.service(service, found)?;
    }
    if !spec["variables"].is_null() {
        file.remarks.say(
            None,
            "spec.variables",
            "shared variables belong to the environment and are not declared in the file; ${{shared.…}} keeps reading them",
        );
    }
    for field in [
        "ttl",
        "expiresAt",
        "rollout",
        "drift",
        "approval",
        "deletion",
        "suspend",
    ] {
        if !spec[field].is_null() {
            file.remarks
                .say(None, format!("spec.{field}"), "has no equivalent");
        }
    }
    if let Some(id) = spec["project"]["id"].as_str() {
        let message = format!(
            "the project is given by its id, {id}: link the folder to it with `railway link`"
        );
        file.remarks.say(None, "spec.project", message);
    }
    let project = spec["project"]["name"].as_str().unwrap_or(name);
    Ok(file.written(project))
}

struct File {
    imports: BTreeSet<&'static str>,
    constants: BTreeSet<String>,
    lines: Vec<String>,
    resources: Vec<String>,
    remarks: Remarks,
}

impl File {
    fn written(self, project: &str) -> Written {
        let imports: Vec<&str> = self.imports.into_iter().collect();
        let comments = self
            .remarks
            .as_comments("//", "What this file cannot say, or says differently:");
        let text = format!(
            "{comments}import {{ {} }} from \"railway/iac\";\n\nexport default defineRailway(() => {{\n{}\n  return \
             project({}, {{\n    resources: [{}],\n  }});\n}});\n",
            imports.join(", "),
            self.lines.concat(),
            json!(project),
            self.resources.join(", "),
        );
        Written {
            text,
            remarks: self.remarks.0,
        }
    }

    fn service(&mut self, name: &str, service: &Value) -> Result<(), serde_json::Error> {
        let mut options = Map::new();
        let engine = service["engine"].as_str();
        let implied = implied(service)?;
        if engine.is_none() {
            self.source(service, &mut options);
        }
        let mounts = if engine.is_none() {
            self.volumes(name, service)
        } else {
            BTreeMap::new()
        };
        build(service, &mut options);
        self.deploy(name, service, &implied, &mut options);
        self.networking(name, service, &mut options);
        let variables = self.variables(service, &implied);
        let constant = self.constant(name);
        let helper = match engine {
            Some("postgres") => "postgres",
            Some("mysql") => "mysql",
            Some("redis") => "redis",
            Some("mongo") => "mongo",
            _ => "service",
        };
        self.imports.insert(helper);
        // A database's helper takes its variables; the rest is set on what it returns.
        let apart: Vec<(&str, Value)> = ["deploy", "networking"]
            .into_iter()
            .filter(|_| engine.is_some())
            .filter_map(|key| Some((key, options.remove(key)?)))
            .collect();
        let mut fields: Vec<String> = options
            .iter()
            .map(|(key, value)| format!("    {key}: {},\n", value.as_str().unwrap_or_default()))
            .collect();
        if !mounts.is_empty() {
            let all: Vec<String> = mounts
                .iter()
                .map(|(path, volume)| format!("{}: {volume}", json!(path)))
                .collect();
            fields.push(format!("    volumeMounts: {{ {} }},\n", all.join(", ")));
        }
        if !variables.is_empty() {
            let all: String = variables
                .iter()
                .map(|(name, value)| format!("      {name}: {value},\n"))
                .collect();
            fields.push(format!("    env: {{\n{all}    }},\n"));
        }
        self.lines.push(if fields.is_empty() {
            format!("  const {constant} = {helper}({});\n", json!(name))
        } else {
            format!(
                "  const {constant} = {helper}({}, {{\n{}  }});\n",
                json!(name),
                fields.concat()
            )
        });
        for (key, value) in apart {
            let value = value.as_str().unwrap_or_default();
            self.lines.push(format!("  {constant}.{key} = {value};\n"));
        }
        self.resources.push(constant);
        Ok(())
    }

    fn source(&mut self, service: &Value, options: &mut Map<String, Value>) {
        let source = &service["source"];
        if let Some(image) = source["image"].as_str() {
            self.imports.insert("image");
            options.insert("source".into(), json!(format!("image({})", json!(image))));
        } else if let Some(repo) = source["repo"].as_str() {
            self.imports.insert("github");
            let branch = source["branch"].as_str();
            let branch = branch.map_or_else(String::new, |branch| {
                format!(", {{ branch: {} }}", json!(branch))
            });
            let text = format!("github({}{branch})", json!(repo));
            options.insert("source".into(), json!(text));
        }
        if let Some(folder) = source["rootDirectory"].as_str() {
            options.insert("rootDirectory".into(), json!(json!(folder).to_string()));
        }
        if let Some(commit) = source["commit"].as_str() {
            let message = format!("the file follows a branch, and cannot stay on {commit}");
            self.remarks.say(None, "source.commit", message);
        }
    }

    fn volumes(&mut self, name: &str, service: &Value) -> BTreeMap<String, String> {
        let mut mounts = BTreeMap::new();
        for (key, volume) in entries(&service["volumes"]) {
            let Some(path) = volume["mountPath"].as_str() else {
                continue;
            };
            self.imports.insert("volume");
            let full = format!("{name}-{key}");
            let constant = self.constant(&full);
            let mut options = json!({});
            if let Some(bytes) = volume["size"]
                .as_str()
                .and_then(|size| parse_bytes(size).ok())
            {
                options["sizeMB"] = json!(bytes >> 20);
            }
            if let Some(region) = volume["region"].as_str() {
                options["region"] = json!(region);
            }
            if !volume["backups"].is_null() {
                self.remarks.say(
                    None,
                    format!("services.{name}.volumes.{key}.backups"),
                    "set the schedule in Railway's dashboard",
                );
            }
            let options = if options == json!({}) {
                String::new()
            } else {
                format!(", {options}")
            };
            self.lines.push(format!(
                "  const {constant} = volume({}{options});\n",
                json!(full)
            ));
            self.resources.push(constant.clone());
            mounts.insert(path.to_owned(), constant);
        }
        mounts
    }

    fn deploy(
        &mut self,
        name: &str,
        service: &Value,
        implied: &Value,
        options: &mut Map<String, Value>,
    ) {
        let deploy = &service["deploy"];
        let mut put = |key: &str, value: &Value| {
            if !value.is_null() {
                options.insert(key.to_owned(), json!(value.to_string()));
            }
        };
        if deploy["startCommand"] != implied["deploy"]["startCommand"] {
            put("start", &deploy["startCommand"]);
        }
        let commands = deploy["preDeployCommand"].as_array();
        match commands.map(Vec::as_slice) {
            Some([only]) => put("preDeploy", only),
            Some(several) if !several.is_empty() => put("preDeploy", &json!(several)),
            _ => {}
        }
        put("healthcheck", &deploy["healthcheck"]["path"]);
        put(
            "healthcheckTimeout",
            &seconds(&deploy["healthcheck"]["timeout"]),
        );
        put("replicas", &deploy["replicas"]);
        if deploy["regions"]
            .as_object()
            .is_some_and(|map| !map.is_empty())
        {
            put("replicas", &deploy["regions"]);
        }
        let mut rest = json!({});
        let restart = match deploy["restart"]["policy"].as_str() {
            Some("always") => json!("ALWAYS"),
            Some("never") => json!("NEVER"),
            Some(_) => json!("ON_FAILURE"),
            None => Value::Null,
        };
        let memory = deploy["limits"]["memory"].as_str();
        let memory = memory.and_then(|size| parse_bytes(size).ok());
        for (key, value) in [
            ("restartPolicyType", restart),
            (
                "restartPolicyMaxRetries",
                deploy["restart"]["maxRetries"].clone(),
            ),
            ("cronSchedule", deploy["cron"].clone()),
            ("sleepApplication", deploy["sleep"].clone()),
            ("overlapSeconds", seconds(&deploy["overlap"])),
            ("drainingSeconds", seconds(&deploy["draining"])),
        ] {
            if !value.is_null() {
                rest[key] = value;
            }
        }
        if !deploy["limits"]["cpu"].is_null() {
            rest["limitOverride"]["containers"]["cpu"] = deploy["limits"]["cpu"].clone();
        }
        if let Some(bytes) = memory {
            rest["limitOverride"]["containers"]["memoryBytes"] = json!(bytes);
        }
        if rest != json!({}) {
            put("deploy", &rest);
        }
        if service["dependsOn"]
            .as_array()
            .is_some_and(|on| !on.is_empty())
        {
            self.remarks.say(
                None,
                format!("services.{name}.dependsOn"),
                "Railway orders deployments by references alone",
            );
        }
    }

    fn networking(&mut self, name: &str, service: &Value, options: &mut Map<String, Value>) {
        let mut own = Vec::new();
        for domain in service["domains"].as_array().into_iter().flatten() {
            match domain["name"].as_str() {
                Some(domain) => own.push(domain.to_owned()),
                None => self.remarks.say(
                    None,
                    format!("services.{name}.domains"),
                    "a generated domain is made in Railway's dashboard, or with `railway domain`",
                ),
            }
        }
        if !own.is_empty() {
            options.insert("domains".into(), json!(json!(own).to_string()));
        }
        let proxies: Map<String, Value> = service["tcpProxies"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|port| (port.to_string(), json!({})))
            .collect();
        if !proxies.is_empty() {
            let networking = json!({"tcpProxies": proxies});
            options.insert("networking".into(), json!(networking.to_string()));
        }
    }

    fn variables(&mut self, service: &Value, implied: &Value) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for (name, value) in entries(&service["variables"]) {
            if *value == implied["variables"][name] {
                continue;
            }
            let written = match value {
                Value::Null => continue,
                Value::String(text) => json!(text).to_string(),
                Value::Object(_) => {
                    self.imports.insert("preserve");
                    "preserve()".to_owned()
                }
                other => json!(other.to_string()).to_string(),
            };
            all.insert(name.clone(), written);
        }
        all
    }

    /// A JavaScript name of its own.
    fn constant(&mut self, name: &str) -> String {
        let mut constant = String::new();
        for part in name.split(|c: char| !c.is_ascii_alphanumeric()) {
            let mut letters = part.chars();
            match letters.next() {
                Some(first) if constant.is_empty() => constant.push(first.to_ascii_lowercase()),
                Some(first) => constant.push(first.to_ascii_uppercase()),
                None => {}
            }
            constant.extend(letters);
        }
        let is_taken = |name: &str| RESERVED.contains(&name);
        if constant.is_empty()
            || constant.starts_with(|c: char| c.is_ascii_digit())
            || is_taken(&constant)
        {
            constant.insert(0, '_');
        }
        while !self.constants.insert(constant.clone()) {
            constant.push('_');
        }
        constant
    }
}

/// Words that cannot name a constant: the helpers, and JavaScript's own that a service may be called.
const RESERVED: [&str; 27] = [
    "bucket",
    "case",
    "class",
    "const",
    "default",
    "defineRailway",
    "delete",
    "export",
    "function",
    "github",
    "group",
    "image",
    "import",
    "in",
    "mongo",
    "mysql",
    "new",
    "postgres",
    "preserve",
    "project",
    "redis",
    "ref",
    "return",
    "service",
    "switch",
    "this",
    "volume",
];

fn build(service: &Value, options: &mut Map<String, Value>) {
    let build = &service["build"];
    let mut all = json!({});
    if let Some(builder) = build["builder"].as_str() {
        all["builder"] = json!(builder.to_ascii_uppercase());
    } else if build["dockerfile"].is_string() {
        all["builder"] = json!("DOCKERFILE");
    }
    for (from, to) in [
        ("command", "buildCommand"),
        ("dockerfile", "dockerfilePath"),
        ("watchPatterns", "watchPatterns"),
    ] {
        if !build[from].is_null() {
            all[to] = build[from].clone();
        }
    }
    if let (Some(command), 1) = (
        all["buildCommand"].as_str(),
        all.as_object().map_or(0, Map::len),
    ) {
        options.insert("build".into(), json!(json!(command).to_string()));
    } else if all != json!({})
        && all
            .as_object()
            .is_some_and(|map| map.values().any(|v| !v.is_null()))
    {
        options.insert("build".into(), json!(all.to_string()));
    }
}

/// What an engine stands for: the helper of the same name brings it along.
fn implied(service: &Value) -> Result<Value, serde_json::Error> {
    if service["engine"].is_null() {
        return Ok(json!({}));
    }
    let mut bare: ServiceSpec = serde_json::from_value(json!({
        "engine": service["engine"], "tcpProxies": service["tcpProxies"],
    }))?;
    engine::expand(&mut bare);
    serde_json::to_value(&bare)
}

fn seconds(span: &Value) -> Value {
    let span = span
        .as_str()
        .and_then(|text| text.parse::<crate::duration::Span>().ok());
    span.map_or(Value::Null, |span| json!(span.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge;

    #[test]
    fn an_environment_becomes_railways_own_file() {
        let spec: EnvironmentSpec = serde_json::from_value(json!({
            "project": {"name": "shop"}, "source": {"repo": "acme/shop", "branch": "main"},
            "variables": {"LEVEL": "info"}, "ttl": "7d",
            "services": {
                "web": {
                    "source": {"rootDirectory": "/web"}, "build": {"command": "make"}, "dependsOn": ["db"],
                    "deploy": {"replicas": 2, "healthcheck": {"path": "/", "timeout": "1m"}, "preDeployCommand": ["migrate"],
                        "limits": {"cpu": 0.5, "memory": "512Mi"}, "restart": {"policy": "always"}},
                    "variables": {"URL": "${{db.DATABASE_URL}}", "KEY": {"secretRef": {"name": "s", "key": "k"}}, "QUOTE": "a\"b"},
                    "domains": [{}, {"name": "shop.example.com"}],
                },
                "db": {"engine": "postgres", "variables": {"EXTRA": "1"}, "tcpProxies": [5432]},
                "My Worker": {"source": {"image": "acme/worker:1"}, "volumes": {"data": {"mountPath": "/data", "size": "5Gi"}},
                    "tcpProxies": [7000]},
                "edge": {"source": {"image": "acme/edge:1"}, "deploy": {"regions": {"us-west2": 2}}},
            },
        }))
        .unwrap();
        let spec = merge::effective(None, &spec).unwrap();
        insta::assert_snapshot!(write("shop", &spec).unwrap().text);
    }
}
