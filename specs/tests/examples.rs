//! The examples are what people copy first: each must be sound, and come to an environment that could run.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

use std::{fs, path::Path};

use mirage_specs::{
    Environment, EnvironmentTemplate, EnvironmentTemplateSpec, merge::effective, templates,
    validate,
};
use serde::Deserialize;
use serde_json::Value;

struct Example {
    file: String,
    text: String,
    documents: Vec<Value>,
}

fn examples() -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut examples: Vec<Example> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let documents = serde_yaml::Deserializer::from_str(&text)
                .map(|document| Value::deserialize(document).unwrap())
                .collect();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            Example {
                file,
                text,
                documents,
            }
        })
        .collect();
    examples.sort_by(|a, b| a.file.cmp(&b.file));
    examples
}

#[test]
fn every_example_is_sound_and_says_what_it_teaches() {
    let examples = examples();
    assert!(examples.len() >= 6);
    for example in examples {
        assert!(
            example.text.starts_with("# "),
            "{} begins with its lesson",
            example.file
        );
        for document in &example.documents {
            let kind = document["kind"].as_str().unwrap();
            assert_eq!(validate::object(kind, document), [], "{}", example.file);
        }
    }
}

#[test]
fn every_example_comes_to_an_environment_that_could_run() {
    for example in examples() {
        let mut own: Vec<(String, EnvironmentTemplateSpec)> = Vec::new();
        for document in example.documents {
            if document["kind"] == "EnvironmentTemplate" {
                let template: EnvironmentTemplate = serde_json::from_value(document).unwrap();
                own.push((template.metadata.name.unwrap(), template.spec));
                continue;
            }
            if document["kind"] != "Environment" {
                continue;
            }
            let environment: Environment = serde_json::from_value(document).unwrap();
            let template = environment.spec.template_ref.as_ref().map(|reference| {
                let name = reference.name.as_str();
                own.iter()
                    .find(|(own, _)| own == name)
                    .map(|(_, template)| template)
                    .or_else(|| templates::shipped(name).map(|template| &template.spec))
                    .unwrap()
            });
            let whole = effective(template, &environment.spec).unwrap();
            assert!(whole.project.is_some(), "{}", example.file);
            for (name, service) in &whole.services {
                let source = service.as_ref().unwrap().source.as_ref().unwrap();
                assert!(
                    source.image.value().is_some() || source.repo.value().is_some(),
                    "{}: {name}",
                    example.file
                );
            }
            insta::assert_snapshot!(
                format!("{}-{}", example.file, environment.metadata.name.unwrap()),
                serde_yaml::to_string(&whole).unwrap()
            );
        }
    }
}
