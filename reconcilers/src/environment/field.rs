//! The settings of a service that Mirage knows: where each stands in a spec and where in Railway's config.

use serde_json::{Map, Value};
use strum::{EnumIter, IntoEnumIterator};

/// One setting. The order is the order in which people read a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter)]
#[allow(missing_docs, reason = "`spec_path` and `pointer` say what each is")]
pub enum Field {
    Image,
    Repo,
    Branch,
    Commit,
    RootDirectory,
    Builder,
    BuildCommand,
    Dockerfile,
    WatchPatterns,
    StartCommand,
    PreDeployCommand,
    HealthcheckPath,
    HealthcheckTimeout,
    Replicas,
    Regions,
    RestartPolicy,
    RestartRetries,
    Cron,
    Sleep,
    Overlap,
    Draining,
    Cpu,
    Memory,
}

impl Field {
    /// Every field.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// Where it stands below `spec.services.<name>`; also the path that `drift.ignore` names.
    pub fn spec_path(self) -> &'static str {
        self.places().0
    }

    /// Where it stands in a service of Railway's environment config, as a JSON pointer.
    pub fn pointer(self) -> &'static str {
        self.places().1
    }

    /// The field of that spec path.
    pub fn from_spec_path(path: &str) -> Option<Self> {
        Self::iter().find(|field| field.spec_path() == path)
    }

    fn places(self) -> (&'static str, &'static str) {
        match self {
            Self::Image => ("source.image", "/source/image"),
            Self::Repo => ("source.repo", "/source/repo"),
            Self::Branch => ("source.branch", "/source/branch"),
            Self::Commit => ("source.commit", "/source/commitSha"),
            Self::RootDirectory => ("source.rootDirectory", "/source/rootDirectory"),
            Self::Builder => ("build.builder", "/build/builder"),
            Self::BuildCommand => ("build.command", "/build/buildCommand"),
            Self::Dockerfile => ("build.dockerfile", "/build/dockerfilePath"),
            Self::WatchPatterns => ("build.watchPatterns", "/build/watchPatterns"),
            Self::StartCommand => ("deploy.startCommand", "/deploy/startCommand"),
            Self::PreDeployCommand => ("deploy.preDeployCommand", "/deploy/preDeployCommand"),
            Self::HealthcheckPath => ("deploy.healthcheck.path", "/deploy/healthcheckPath"),
            Self::HealthcheckTimeout => {
                ("deploy.healthcheck.timeout", "/deploy/healthcheckTimeout")
            }
            Self::Replicas => ("deploy.replicas", "/deploy/numReplicas"),
            Self::Regions => ("deploy.regions", "/deploy/multiRegionConfig"),
            Self::RestartPolicy => ("deploy.restart.policy", "/deploy/restartPolicyType"),
            Self::RestartRetries => (
                "deploy.restart.maxRetries",
                "/deploy/restartPolicyMaxRetries",
            ),
            Self::Cron => ("deploy.cron", "/deploy/cronSchedule"),
            Self::Sleep => ("deploy.sleep", "/deploy/sleepApplication"),
            Self::Overlap => ("deploy.overlap", "/deploy/overlapSeconds"),
            Self::Draining => ("deploy.draining", "/deploy/drainingSeconds"),
            Self::Cpu => ("deploy.limits.cpu", "/deploy/limitOverride/containers/cpu"),
            Self::Memory => (
                "deploy.limits.memory",
                "/deploy/limitOverride/containers/memoryBytes",
            ),
        }
    }
}

/// Puts a value where a pointer says, making the objects on the way.
pub fn put(settings: &mut Value, pointer: &str, value: Value) {
    let mut place = settings;
    for key in pointer.trim_start_matches('/').split('/') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(object) = place else { return };
        place = object.entry(key.to_owned()).or_insert(Value::Null);
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    #[test]
    fn no_two_fields_share_a_place() {
        let specs: BTreeSet<_> = Field::all().map(Field::spec_path).collect();
        let pointers: BTreeSet<_> = Field::all().map(Field::pointer).collect();
        assert_eq!(specs.len(), Field::all().count());
        assert_eq!(pointers.len(), Field::all().count());
    }

    #[test]
    fn a_value_goes_where_its_pointer_says() {
        let mut settings = json!({"deploy": {"numReplicas": 1}});
        put(&mut settings, Field::Cpu.pointer(), json!(2));
        put(&mut settings, Field::Image.pointer(), json!("nginx"));
        assert_eq!(
            settings,
            json!({"deploy": {"numReplicas": 1, "limitOverride": {"containers": {"cpu": 2}}}, "source": {"image": "nginx"}})
        );
        assert_eq!(settings.pointer(Field::Cpu.pointer()), Some(&json!(2)));
    }
}
