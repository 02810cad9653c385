//! Which database holds the objects.

use std::{path::PathBuf, str::FromStr};

/// `--database`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl FromStr for Database {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url
            .split_once(':')
            .ok_or_else(|| format!("{url:?} is not a database URL: write sqlite:PATH"))?;
        match scheme {
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                let path = path.split('?').next().unwrap_or_default();
                if path.is_empty() || path == ":memory:" {
                    return Err(
                        "sqlite: needs a file, for example sqlite:.mirage/mirage.db".to_owned()
                    );
                }
                Ok(Self::Sqlite(path.into()))
            }
            "postgres" | "postgresql" => Err(
                "Postgres is not supported yet: leave --database out, or write sqlite:PATH"
                    .to_owned(),
            ),
            other => Err(format!(
                "there is no database backend {other:?}: write sqlite:PATH"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_file_and_others_say_what_would_do() {
        for (url, path) in [
            ("sqlite:a.db", "a.db"),
            ("sqlite:/var/lib/a.db", "/var/lib/a.db"),
            ("sqlite:///var/lib/a.db", "/var/lib/a.db"),
            ("sqlite://a.db?mode=rwc", "a.db"),
        ] {
            assert_eq!(url.parse(), Ok(Database::Sqlite(path.into())), "{url}");
        }
        for (url, words) in [
            ("postgres://u@h/db", "not supported yet"),
            ("a.db", "sqlite:PATH"),
            ("mysql://h", "no database backend"),
            ("sqlite::memory:", "needs a file"),
        ] {
            let error = url.parse::<Database>().unwrap_err();
            assert!(error.contains(words), "{url}: {error}");
        }
    }
}
