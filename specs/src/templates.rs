//! The templates that ship with Mirage.

use std::sync::LazyLock;

use crate::template::EnvironmentTemplate;

const TEXTS: [&str; 2] = [
    include_str!("../templates/dev.yaml"),
    include_str!("../templates/prod.yaml"),
];

static TEMPLATES: LazyLock<Vec<EnvironmentTemplate>> = LazyLock::new(|| {
    TEXTS
        .iter()
        .map(|text| serde_yaml::from_str(text).expect("the shipped templates are tested"))
        .collect()
});

/// All shipped templates, in the order in which they are shown.
pub fn all() -> &'static [EnvironmentTemplate] {
    &TEMPLATES
}

/// The shipped template `name`. One of the same name in the Environment's namespace goes before it.
pub fn shipped(name: &str) -> Option<&'static EnvironmentTemplate> {
    all()
        .iter()
        .find(|template| template.metadata.name.as_deref() == Some(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{environment::EnvironmentType, merge::effective, validate};

    use super::*;

    #[test]
    fn the_shipped_templates_are_sound() {
        for text in TEXTS {
            let value: serde_json::Value = serde_yaml::from_str(text).unwrap();
            assert_eq!(validate::template(&value), []);
        }
        assert!(shipped("dev").is_some() && shipped("prod").is_some() && shipped("test").is_none());
    }

    #[test]
    fn an_environment_on_a_shipped_template_needs_only_its_services() {
        for (name, environment_type) in [
            ("dev", EnvironmentType::Dev),
            ("prod", EnvironmentType::Prod),
        ] {
            let spec = serde_json::from_value(json!({
                "templateRef": {"name": name},
                "project": {"name": "shop"},
                "services": {"web": {"source": {"image": "nginx"}}},
            }))
            .unwrap();
            let whole = effective(shipped(name).map(|template| &template.spec), &spec).unwrap();
            assert_eq!(whole.environment_type, Some(environment_type));
            assert!(whole.approval.is_some() && whole.rollout.is_some());
        }
    }
}
