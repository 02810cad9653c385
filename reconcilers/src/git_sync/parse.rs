//! From files to documents: YAML and JSON, many in a file, with `${NAME}` filled in. Pure.

use mirage_specs::{
    git_sync::SyncFault,
    manifest::{self, Document},
};

use super::{
    fetch::Snapshot,
    substitute::{Variables, substitute},
};

/// A document and where it stands.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The file, from the repository's root.
    pub file: String,
    /// What stands there, filled in as far as that was possible.
    pub document: Document,
    /// What could not be filled in.
    pub faults: Vec<SyncFault>,
}

/// All documents of a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// In the order of files and lines.
    pub placed: Vec<Placed>,
    /// Places that are no documents. What they would have declared is not known.
    pub broken: Vec<SyncFault>,
}

/// Reads every document of a snapshot.
pub fn parse(snapshot: &Snapshot, variables: Option<&Variables>) -> Documents {
    let mut documents = Documents {
        placed: Vec::new(),
        broken: snapshot.faults.clone(),
    };
    for file in &snapshot.files {
        for document in manifest::read(&file.text) {
            match document {
                Ok(document) => documents
                    .placed
                    .push(filled(&file.path, document, variables)),
                Err(error) => documents.broken.push(SyncFault {
                    file: file.path.clone(),
                    line: Some(error.at.line),
                    column: Some(error.at.column),
                    message: error.message,
                }),
            }
        }
    }
    documents
}

fn filled(file: &str, document: Document, variables: Option<&Variables>) -> Placed {
    let mut placed = Placed {
        file: file.to_owned(),
        faults: Vec::new(),
        document,
    };
    let Some(variables) = variables else {
        return placed;
    };
    match substitute(&placed.document.value, variables) {
        Ok(value) => placed.document = placed.document.with_value(value),
        Err(gaps) => {
            placed.faults = gaps
                .into_iter()
                .map(|gap| fault_at(&placed.file, &placed.document, &gap.path, gap.message))
                .collect();
        }
    }
    placed
}

/// A fault of one field of a document.
pub fn fault_at(file: &str, document: &Document, path: &str, message: String) -> SyncFault {
    let at = document.position(path);
    SyncFault {
        file: file.to_owned(),
        line: Some(at.line),
        column: Some(at.column),
        message,
    }
}
