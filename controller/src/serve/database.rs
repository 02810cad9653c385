//! Which database holds the objects.

use std::{path::PathBuf, str::FromStr};

use mirage_api::store::postgres::Address;

/// `--database`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database, which other servers may use too.
    Postgres(Address),
}

const FORMS: &str = "write sqlite:PATH or postgres://USER@HOST/DATABASE";

impl FromStr for Database {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url
            .split_once(':')
            .ok_or_else(|| format!("that is no database URL: {FORMS}"))?;
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
            // Not looked at here: a complaint about a value repeats it, and this one may hold a password.
            "postgres" | "postgresql" => Ok(Self::Postgres(Address::new(url))),
            other => Err(format!("there is no database backend {other:?}: {FORMS}")),
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
        for url in ["postgres://u:hunter2@h/db", "postgresql://u:hunter2@h/db"] {
            let database = url.parse::<Database>().unwrap();
            assert_eq!(database, Database::Postgres(Address::new(url)));
            assert!(!format!("{database:?}").contains("hunter2"));
        }
        for (url, words) in [
            ("a.db", "sqlite:PATH"),
            ("mysql://h", "no database backend"),
            ("sqlite::memory:", "needs a file"),
        ] {
            let error = url.parse::<Database>().unwrap_err();
            assert!(error.contains(words), "{url}: {error}");
        }
    }
}
