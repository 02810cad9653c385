//! Where the database is and how to get in.

use std::fmt;
use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;
use zeroize::Zeroizing;

use super::{OpenError, settings};

/// A `postgres://` URL. It may hold a password, so that neither `Debug` nor `Display` shows more of it than host and
/// database. It is read when the store is opened: a parser's complaint would repeat what it was given.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Zeroizing<String>);

impl Address {
    /// Takes the URL as it was given.
    pub fn new(url: impl Into<String>) -> Self {
        Self(Zeroizing::new(url.into()))
    }

    /// What the driver needs. libpq's environment variables (`PGPASSWORD`, …) and `.pgpass` fill in what the URL leaves
    /// out.
    pub(super) fn options(&self) -> Result<PgConnectOptions, OpenError> {
        PgConnectOptions::from_str(&self.0)
            .map(settings)
            .map_err(OpenError::Url)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(options) = PgConnectOptions::from_str(&self.0) else {
            return f.write_str("postgres://…");
        };
        let database = options.get_database().unwrap_or(options.get_username());
        match options.get_socket() {
            Some(socket) => write!(f, "{database} at {}", socket.display()),
            None => write!(
                f,
                "{database} at {}:{}",
                options.get_host(),
                options.get_port()
            ),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_host_and_database_and_never_the_password() {
        for (url, shown) in [
            ("postgres://u:hunter2@db:6543/mirage", "mirage at db:6543"),
            (
                "postgresql://u:hunter2@db/mirage?sslmode=require",
                "mirage at db:5432",
            ),
            (
                "postgres:///m?host=/run/pg&user=u&password=hunter2",
                "m at /run/pg",
            ),
            ("postgres://u:hunter2@db:99999999/mirage", "postgres://…"),
        ] {
            let address = Address::new(url);
            assert_eq!(address.to_string(), shown);
            assert!(!format!("{address:?}").contains("hunter2"));
        }
        let error = Address::new("postgres://u:hunter2@db:99999999/").options();
        let error = chain(&error.unwrap_err());
        assert!(!error.contains("hunter2"), "{error}");
    }

    /// The error and all that caused it.
    fn chain(error: &dyn std::error::Error) -> String {
        let mut text = format!("{error} {error:?}");
        let mut cause = error.source();
        while let Some(inner) = cause {
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        text
    }
}
