//! Writes down what is in `dist/`, to be compiled in. The folder is always there, for a README: cargo would run this
//! anew each time if it were not.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    collect(&dist, &mut files)?;
    // One order, whatever the file system's: the same files make the same binary.
    files.sort();
    let mut text = String::from(
        "/// Files by their path in the site, such as `assets/index-4f1c.js`; with `.gz` behind it, the same compressed.\n\
         pub const FILES: &[(&str, &[u8])] = &[\n",
    );
    for file in &files {
        let path = file.strip_prefix(&dist).unwrap_or(file);
        let path = path.to_string_lossy().replace('\\', "/");
        let _ = writeln!(text, "    ({path:?}, include_bytes!({file:?})),");
    }
    text.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("files.rs"), text)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if !is_of_the_build(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// What only the build reads.
fn is_of_the_build(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name == "README.md" || name == "manifest.json")
}
