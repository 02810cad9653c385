//! `mirage token create`

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use kube::{
    Api,
    api::{DynamicObject, PostParams},
};
use mirage_specs::duration::Span;
use serde_json::{Value, json};

use crate::{
    cli::{
        apply::FIELD_MANAGER,
        connection::{Connection, ServerArgs},
        failure::Failure,
        kind::{CLUSTER_ROLE_BINDING, Kind, ROLE_BINDING, TOKEN},
        output::{self, Document},
    },
    exit::Exit,
};

/// Make a bearer token; it is printed this once and kept nowhere
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage token create ci --role editor --namespace shop --ttl 30d
                                        you, held down to what an editor may do in shop
  mirage token create watcher --verbs get,list,watch -o kubeconfig > watcher.kubeconfig
  mirage token create bob --user bob --role viewer
                                        somebody else; the role is given to them

Without --user the token is you, or less: it never may more than you may at the time.
With --user it is somebody else, whom --role is given to by a binding that outlives the token;
that takes the right to impersonate them.")]
pub(crate) struct Create {
    /// What to call it among the tokens
    name: String,
    /// Whom its bearer is taken for [default: you]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// A group that its bearer is in; may be repeated [default: yours, if the token is yours]
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// Only what this ClusterRole allows: viewer, editor, admin or one of your own
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// Only in this namespace; may be repeated
    #[arg(short, long, value_name = "NAME", value_delimiter = ',')]
    namespace: Vec<String>,
    /// Only objects of this name; may be repeated
    #[arg(long = "name", value_name = "NAME", value_delimiter = ',')]
    names: Vec<String>,
    /// Only these verbs, for example get,list,watch
    #[arg(long, value_name = "VERBS", value_delimiter = ',')]
    verbs: Vec<String>,
    /// Only these resources, for example environments,secrets
    #[arg(long, value_name = "RESOURCES", value_delimiter = ',')]
    resources: Vec<String>,
    /// How long it is good [default: until it is revoked]
    #[arg(long, value_name = "TIME")]
    ttl: Option<Span>,
    /// How to show it [default: the token alone]
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Shape>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// The object as JSON, with the token in status.token.
    Json,
    /// The object as YAML, with the token in status.token.
    Yaml,
    /// A kubeconfig that is ready to use.
    Kubeconfig,
}

impl Create {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.server.open(None).await?;
        if let (Some(user), Some(role)) = (&self.user, &self.role) {
            self.bind(&connection, user, role).await?;
        }
        let params = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        let made = connection
            .api(&TOKEN, "")
            .create(&params, &object(&TOKEN, &self.name, self.token())?)
            .await
            .map_err(|error| connection.failed(error))?;
        self.show(&connection, made, out)?;
        Ok(Exit::Success)
    }

    /// The object that is asked for.
    fn token(&self) -> Value {
        let mut spec = json!({"limits": {
            "namespaces": self.namespace, "names": self.names, "verbs": self.verbs, "resources": self.resources}});
        match &self.user {
            Some(user) => spec["user"] = json!(user),
            // Somebody else gets the role by a binding; the token is limited to it only where it is one's own.
            None => {
                if let Some(role) = &self.role {
                    spec["limits"]["role"] = json!(role);
                }
            }
        }
        if !self.group.is_empty() {
            spec["groups"] = json!(self.group);
        }
        if let Some(ttl) = self.ttl {
            spec["ttl"] = json!(ttl.to_string());
        }
        json!({"spec": spec})
    }

    /// Gives the user the role: in the namespaces that were named, else everywhere. What is given already is fine.
    async fn bind(&self, connection: &Connection, user: &str, role: &str) -> Result<(), Failure> {
        let name = format!("{role}-{}", user.replace(['/', '%'], "-"));
        let binding = json!({
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        let places: Vec<(&'static Kind, &str)> = if self.namespace.is_empty() {
            vec![(&CLUSTER_ROLE_BINDING, "")]
        } else {
            let namespaces = self.namespace.iter();
            namespaces
                .map(|namespace| (&ROLE_BINDING, namespace.as_str()))
                .collect()
        };
        for (kind, namespace) in places {
            let api: Api<DynamicObject> = connection.api(kind, namespace);
            let binding = object(kind, &name, binding.clone())?;
            match api.create(&PostParams::default(), &binding).await {
                Ok(_) => eprintln!("{} created", kind.name_of(&name)),
                Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {}
                Err(error) => return Err(connection.failed(error)),
            }
        }
        Ok(())
    }

    fn show(
        &self,
        connection: &Connection,
        mut made: DynamicObject,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let token = made.data["status"]["token"].as_str().unwrap_or_default();
        match self.output {
            Some(Shape::Json | Shape::Yaml) => {
                made.metadata.managed_fields = None;
                let format = match self.output {
                    Some(Shape::Json) => Document::Json,
                    _ => Document::Yaml,
                };
                output::document(out, format, &made)
            }
            Some(Shape::Kubeconfig) => {
                let namespace = self.namespace.first().unwrap_or(&connection.namespace);
                let (server, ca) = (&connection.server, connection.ca_pem.as_deref());
                let yaml = mirage_api::auth::kubeconfig(server, ca, token, namespace)
                    .map_err(io::Error::other)?;
                if server.starts_with("http:") {
                    eprintln!(
                        "note: kubectl sends tokens over https only, and this server is {server}"
                    );
                }
                Ok(out.write_all(yaml.as_bytes())?)
            }
            None => {
                eprintln!(
                    "The token of {}, shown this once:",
                    made.data["spec"]["user"]
                );
                Ok(writeln!(out, "{token}")?)
            }
        }
    }
}

fn object(kind: &Kind, name: &str, mut fields: Value) -> Result<DynamicObject, Failure> {
    fields["apiVersion"] = json!(kind.api_version());
    fields["kind"] = json!(kind.kind);
    fields["metadata"] = json!({"name": name});
    serde_json::from_value(fields).map_err(Failure::Answer)
}
