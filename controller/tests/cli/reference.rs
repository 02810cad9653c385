//! The generated pages of docs/reference are what the program says. `make docs` writes them anew.

use std::fs;

use crate::support::{repository, run, stderr};

#[test]
fn the_generated_pages_are_fresh() {
    for page in ["cli", "specs"] {
        let output = run(&repository(), &["reference", page]);
        assert!(output.status.success(), "{}", stderr(&output));
        let path = repository().join(format!("docs/reference/{page}.md"));
        if std::env::var_os("MIRAGE_BLESS").is_some() {
            fs::write(&path, &output.stdout).unwrap();
        }
        let written = fs::read(&path).unwrap_or_default();
        assert!(
            written == output.stdout,
            "{} is stale: run `make docs`",
            path.display()
        );
    }
}
