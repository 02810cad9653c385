//! The server's checks without a server.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Environment, EnvironmentTemplateSpec,
    manifest::{Document, Located, Position, SyntaxError, yaml},
    merge::effective,
    path::FieldPath,
    templates,
    validate::{self, Fault, Faults, KINDS},
};

const API_VERSION: &str = "mirage.dev/v1alpha1";
/// The namespace of an object that does not say one.
const DEFAULT_NAMESPACE: &str = "default";

/// Every fault of every document of `text`, in the order of the text.
///
/// An Environment is also merged with its template, when that is in the same text or ships with Mirage; any other
/// template is known to the server only.
pub fn check(text: &str) -> Vec<Located> {
    let documents = yaml::read(text);
    let templates = Templates::of(documents.iter().flatten());
    let mut seen = BTreeSet::new();
    let mut located = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        match document {
            Err(error) => located.push(broken(number, error)),
            Ok(document) => {
                let mut faults = faults(document, &templates);
                faults.extend(check_twice(document, &mut seen));
                for fault in faults {
                    let at = document.position(&fault.path);
                    located.push(locate(number, at, fault));
                }
            }
        }
    }
    located.sort_by_key(|one| (one.document, one.line, one.column));
    located
}

fn locate(document: usize, at: Position, fault: Fault) -> Located {
    Located {
        document,
        line: at.line,
        column: at.column,
        fault,
    }
}

fn broken(document: usize, error: &SyntaxError) -> Located {
    let mut faults = Faults::default();
    faults.invalid(&FieldPath::root(), &error.message);
    locate(document, error.at, faults.into_vec().remove(0))
}

/// Templates by namespace and name, so that an Environment can be checked together with its own.
#[derive(Debug, Default)]
pub struct Templates(BTreeMap<(String, String), EnvironmentTemplateSpec>);

impl Templates {
    /// Those among the documents that can be read; a broken one is a fault of its own document.
    pub fn of<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Self {
        let templates = documents
            .into_iter()
            .filter(|document| document.kind == "EnvironmentTemplate")
            .filter_map(|document| {
                let spec = serde_json::from_value(document.value["spec"].clone()).ok()?;
                Some((
                    (namespace(document).to_owned(), document.name.clone()?),
                    spec,
                ))
            })
            .collect();
        Self(templates)
    }
}

fn namespace(document: &Document) -> &str {
    document.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE)
}

/// All faults of one document. Kinds of other groups are the server's to judge, beyond having a kind and a version.
pub fn faults(document: &Document, templates: &Templates) -> Vec<Fault> {
    let root = FieldPath::root();
    let mut faults = Faults::default();
    let ours = KINDS.contains(&document.kind.as_str());
    if document.kind.is_empty() {
        faults.required(&root.key("kind"), "which kind of object it is");
    }
    if document.api_version.is_empty() {
        faults.required(
            &root.key("apiVersion"),
            format!("{API_VERSION} for Mirage's own kinds"),
        );
    }
    let group = document.api_version.split('/').next().unwrap_or_default();
    if !document.api_version.is_empty()
        && document.api_version != API_VERSION
        && (ours || group == "mirage.dev")
    {
        faults.not_supported(
            &root.key("apiVersion"),
            format!("{:?} is not {API_VERSION}", document.api_version),
        );
    }
    let mut faults = faults.into_vec();
    if document.kind.is_empty() || !(ours || group == "mirage.dev") {
        return faults;
    }
    faults.extend(validate::object(&document.kind, &document.value));
    if faults.is_empty() && document.kind == "Environment" {
        faults.extend(check_merged(document, templates));
    }
    faults
}

/// What only shows once the layers lie on each other.
fn check_merged(document: &Document, templates: &Templates) -> Vec<Fault> {
    let Ok(environment) = serde_json::from_value::<Environment>(document.value.clone()) else {
        return Vec::new();
    };
    let Some(reference) = &environment.spec.template_ref else {
        return Vec::new();
    };
    let key = (namespace(document).to_owned(), reference.name.clone());
    let shipped = || templates::shipped(&reference.name).map(|template| &template.spec);
    let Some(template) = templates.0.get(&key).or_else(shipped) else {
        return Vec::new();
    };
    match effective(Some(template), &environment.spec) {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().to_vec(),
    }
}

/// The second object of one name would overwrite the first.
fn check_twice(
    document: &Document,
    seen: &mut BTreeSet<(String, String, String)>,
) -> Option<Fault> {
    let name = document.name.clone()?;
    let key = (document.kind.clone(), namespace(document).to_owned(), name);
    let again = format!("{} {}/{} is given above already", key.0, key.1, key.2);
    if seen.insert(key) {
        return None;
    }
    let mut faults = Faults::default();
    faults.duplicate(&FieldPath::from("metadata.name"), again);
    faults.into_vec().pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        check(text).iter().map(Located::to_string).collect()
    }

    const SOUND: &str = "\
apiVersion: mirage.dev/v1alpha1
kind: Environment
metadata: {name: web}
spec:
  project: {name: shop}
  services:
    web:
      source: {image: nginx}
";

    #[test]
    fn a_sound_file_has_no_faults() {
        assert_eq!(lines(SOUND), [""; 0]);
        assert_eq!(lines("---\n# nothing\n---\n"), [""; 0]);
        assert_eq!(
            lines("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"),
            [""; 0]
        );
    }

    #[test]
    fn every_fault_has_the_line_and_column_of_its_key() {
        let text = SOUND.replace(
            "{image: nginx}",
            "{image: nginx, imgae: x}\n      dependsOn:\n        - web\n        - gone",
        );
        assert_eq!(
            lines(&text),
            [
                "8:30: spec.services.web.source.imgae: unknown field (did you mean \"image\"?)",
                "10:11: spec.services.web.dependsOn[0]: a service cannot wait for itself",
                "11:11: spec.services.web.dependsOn[1]: there is no service \"gone\" in spec.services",
            ]
        );
    }

    #[test]
    fn what_is_missing_is_shown_where_it_would_stand() {
        let text = SOUND.replace("  project: {name: shop}\n", "");
        assert_eq!(
            lines(&text),
            ["4:1: spec.project: the Railway project: {name: …} or {id: …}"]
        );
    }

    #[test]
    fn a_later_document_is_checked_after_a_broken_one() {
        let text = format!("kind: [broken\n---\n{}", SOUND.replace("nginx", "Nginx"));
        let faults = check(&text);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert_eq!((faults[0].document, faults[0].fault.path.as_str()), (0, ""));
        assert_eq!(
            (faults[1].document, faults[1].line, faults[1].column),
            (1, 10, 16)
        );
    }

    #[test]
    fn a_key_given_twice_is_a_fault() {
        let text = SOUND.replace("  project:", "  ttl: 1h\n  ttl: 2h\n  project:");
        assert_eq!(
            lines(&text),
            ["6:3: the key \"ttl\" is given twice, first on line 5"]
        );
    }

    #[test]
    fn kinds_and_versions_must_exist() {
        for (text, line) in [
            (
                SOUND.replace("Environment", "Enviroment"),
                "2:1: kind: mirage.dev has no kind \"Enviroment\" (did you mean \"Environment\"?)",
            ),
            (
                SOUND.replace("v1alpha1", "v1"),
                "1:1: apiVersion: \"mirage.dev/v1\" is not mirage.dev/v1alpha1",
            ),
            (
                SOUND.replace("kind: Environment\n", ""),
                "1:1: kind: which kind of object it is",
            ),
            (
                format!("{SOUND}---\n{SOUND}"),
                "12:12: metadata.name: Environment default/web is given above already",
            ),
        ] {
            assert_eq!(lines(&text), [line]);
        }
    }

    #[test]
    fn an_environment_is_merged_with_a_template_of_the_same_file() {
        let text = "\
apiVersion: mirage.dev/v1alpha1
kind: EnvironmentTemplate
metadata: {name: shop}
spec:
  parameters:
    tag: {type: string}
  base:
    project: {name: shop}
    services:
      web: {source: {image: 'nginx:${{params.tag}}'}}
---
apiVersion: mirage.dev/v1alpha1
kind: Environment
metadata: {name: web}
spec:
  templateRef:
    name: shop
    parameters: {tag: 1.5}
";
        assert_eq!(
            lines(text),
            ["18:18: spec.templateRef.parameters.tag: expected a string"]
        );
        assert_eq!(lines(&text.replace("1.5", "'1.5'")), [""; 0]);
        let other = text.replace(
            "name: shop\n    parameters",
            "name: elsewhere\n    parameters",
        );
        assert_eq!(
            lines(&other),
            [""; 0],
            "a template on the server is not missed"
        );
    }

    #[test]
    fn anchors_and_merge_keys_are_understood() {
        let text = SOUND.replace(
            "    web:\n      source: {image: nginx}\n",
            "    web: &web\n      source: {image: nginx}\n    api:\n      <<: *web\n      dependsOn: [web, web]\n",
        );
        assert_eq!(
            lines(&text),
            ["11:24: spec.services.api.dependsOn[1]: \"web\" is named twice"]
        );
    }

    #[test]
    fn aliases_that_multiply_are_stopped() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        assert_eq!(check(&text).len(), 1);
    }

    #[test]
    fn the_examples_read_the_same_with_any_yaml_parser() {
        use serde::Deserialize;
        for text in [
            include_str!("../../examples/prod-with-approval.yaml"),
            include_str!("../../examples/volumes-and-domains.yaml"),
        ] {
            let ours: Vec<_> = super::super::documents(text)
                .unwrap()
                .into_iter()
                .map(|d| d.value)
                .collect();
            let theirs: Vec<_> = serde_yaml::Deserializer::from_str(text)
                .map(|d| serde_json::Value::deserialize(d).unwrap())
                .collect();
            assert_eq!(ours, theirs);
        }
    }
}
