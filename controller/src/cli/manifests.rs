//! What `-f` names: files, folders and stdin, each with any number of documents.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use kube::api::DynamicObject;
use mirage_specs::manifest;

use crate::cli::{failure::Failure, kind::Kind};

/// Stdin's name on a command line.
const STDIN: &str = "-";

/// The text of one file.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// The file, `-` for stdin.
    pub(crate) file: PathBuf,
    /// What is in it.
    pub(crate) text: String,
}

/// One object to be applied, deleted or waited for.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// Where it was written.
    pub(crate) file: PathBuf,
    /// What it is.
    pub(crate) kind: &'static Kind,
    /// Its name.
    pub(crate) name: String,
    /// The object as written.
    pub(crate) object: DynamicObject,
}

/// Reads every file that the paths name; a folder means the manifests in it, by name, without its folders.
pub(crate) fn texts(paths: &[PathBuf]) -> Result<Vec<Text>, Failure> {
    let mut texts = Vec::new();
    for path in paths {
        if path.as_os_str() == STDIN {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|source| unreadable(path, source))?;
            texts.push(Text {
                file: path.clone(),
                text,
            });
        } else if path.is_dir() {
            let files = in_folder(path)?;
            if files.is_empty() {
                return Err(Failure::NoManifest { path: path.clone() });
            }
            for file in files {
                texts.push(read(file)?);
            }
        } else {
            texts.push(read(path.clone())?);
        }
    }
    Ok(texts)
}

fn read(file: PathBuf) -> Result<Text, Failure> {
    let text = fs::read_to_string(&file).map_err(|source| unreadable(&file, source))?;
    Ok(Text { file, text })
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
        let path = entry.map_err(|source| unreadable(folder, source))?.path();
        let is_manifest = path.extension().is_some_and(|extension| {
            ["yaml", "yml", "json"]
                .iter()
                .any(|known| extension == *known)
        });
        if is_manifest && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, source: std::io::Error) -> Failure {
    Failure::Unreadable {
        path: path.to_owned(),
        source,
    }
}

/// Every object in what the paths name, in the order in which they are written.
pub(crate) fn manifests(paths: &[PathBuf]) -> Result<Vec<Manifest>, Failure> {
    let mut manifests = Vec::new();
    for text in texts(paths)? {
        let before = manifests.len();
        objects(&text, &mut manifests)?;
        if manifests.len() == before {
            return Err(Failure::NoManifest { path: text.file });
        }
    }
    Ok(manifests)
}

fn objects(text: &Text, manifests: &mut Vec<Manifest>) -> Result<(), Failure> {
    let bad = |line: usize, reason: String| Failure::BadManifest {
        reason: format!("{}:{line}: {reason}", text.file.display()),
    };
    let documents = manifest::documents(&text.text).map_err(|error| Failure::BadManifest {
        reason: format!("{}:{error}", text.file.display()),
    })?;
    for document in documents {
        let line = document.line;
        let object: DynamicObject = serde_json::from_value(document.value)
            .map_err(|error| bad(line, format!("this is not an object: {error}")))?;
        let types = object
            .types
            .as_ref()
            .ok_or_else(|| bad(line, "apiVersion and kind are missing".to_owned()))?;
        let kind = Kind::of_manifest(&types.api_version, &types.kind).ok_or_else(|| {
            bad(
                line,
                format!(
                    "Mirage has no kind {} in {}; `mirage schema` prints what it has",
                    types.kind, types.api_version
                ),
            )
        })?;
        let name = object
            .metadata
            .name
            .clone()
            .filter(|name| !name.is_empty())
            .ok_or_else(|| bad(line, "metadata.name is missing".to_owned()))?;
        manifests.push(Manifest {
            file: text.file.clone(),
            kind,
            name,
            object,
        });
    }
    Ok(())
}
