//! What a person sees when the server is up.

use std::{fmt::Write as _, fs, path::Path};

use mirage_api::auth::ADMIN_TOKEN_FILE;
use zeroize::Zeroizing;

use crate::serve::addresses::Addresses;

/// Where desired states are compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// A simulated Railway at so many times life's speed.
    Simulation {
        /// The factor.
        speed: String,
    },
    /// Railway, with the token of this variable.
    Railway {
        /// `RAILWAY_API_TOKEN` or `RAILWAY_TOKEN`.
        variable: &'static str,
    },
    /// Railway, without a token of the process: only RailwayAccounts with a secret work.
    Nothing,
}

/// How a person gets into the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// By a link with the administrator's token. Only for a terminal: what a file or a journal gets stays there.
    Link,
    /// By the token in the file that is named.
    File,
}

/// The address at which the dashboard opens signed in; `None` when the token cannot be read. The token stands behind the
/// `#`, which browsers do not send.
pub(crate) fn link(addresses: &Addresses, data_dir: &Path) -> Option<Zeroizing<String>> {
    let token = Zeroizing::new(fs::read_to_string(data_dir.join(ADMIN_TOKEN_FILE)).ok()?);
    Some(Zeroizing::new(format!(
        "{}/#token={}",
        addresses.http,
        token.trim()
    )))
}

/// The text. It has no secret, except for the link where one is asked for: files are named, not their content.
pub(crate) fn banner(
    addresses: &Addresses,
    against: &Against,
    data_dir: &Path,
    sign_in: SignIn,
    stands_by: bool,
) -> Zeroizing<String> {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "  {label:<13}{value}");
    };
    line(
        "API",
        &format!("{}  and  {}", addresses.https, addresses.http),
    );
    line("Dashboard", &addresses.http);
    line("Metrics", &addresses.metrics);
    match against {
        Against::Simulation { speed } => {
            let at = addresses.railway.as_deref().unwrap_or_default();
            line(
                "Railway",
                &format!("simulated at {at}, {speed}x as fast as life"),
            );
        }
        Against::Railway { variable } => line("Railway", &format!("with the token of {variable}")),
        Against::Nothing => line(
            "Railway",
            "no token: set RAILWAY_API_TOKEN or RAILWAY_TOKEN, or try --simulate-railway",
        ),
    }
    if stands_by {
        line(
            "Standing by",
            "another server's controllers act; when it is gone, this one's take over",
        );
    }
    line("Data", &data_dir.display().to_string());
    let link = (sign_in == SignIn::Link)
        .then(|| link(addresses, data_dir))
        .flatten();
    let sign_in = match &link {
        Some(link) => Zeroizing::new(format!("open {}", link.as_str())),
        None => Zeroizing::new(format!(
            "sign in with the token in {}",
            data_dir.join(ADMIN_TOKEN_FILE).display()
        )),
    };
    Zeroizing::new(format!(
        "\nMirage {} is up.\n\n{text}\n  {}\n  export KUBECONFIG={}\n\n",
        env!("CARGO_PKG_VERSION"),
        sign_in.as_str(),
        addresses.kubeconfig.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_says_where_everything_is() {
        let addresses = Addresses {
            http: "http://127.0.0.1:7171".into(),
            https: "https://127.0.0.1:7443".into(),
            metrics: "http://127.0.0.1:7171/metrics".into(),
            railway: Some("http://127.0.0.1:40001/graphql/v2".into()),
            kubeconfig: "/home/a/.mirage/kubeconfig".into(),
            pid: 1,
        };
        let against = Against::Simulation { speed: "20".into() };
        insta::assert_snapshot!(banner(&addresses, &against, Path::new("/home/a/.mirage"), SignIn::File, false).as_str(), @r"

        Mirage 0.1.0 is up.

          API          https://127.0.0.1:7443  and  http://127.0.0.1:7171
          Dashboard    http://127.0.0.1:7171
          Metrics      http://127.0.0.1:7171/metrics
          Railway      simulated at http://127.0.0.1:40001/graphql/v2, 20x as fast as life
          Data         /home/a/.mirage

          sign in with the token in /home/a/.mirage/admin.token
          export KUBECONFIG=/home/a/.mirage/kubeconfig
        ");
        assert!(
            banner(
                &addresses,
                &Against::Nothing,
                Path::new("/"),
                SignIn::File,
                false
            )
            .contains("RAILWAY_API_TOKEN")
        );
        let waiting = banner(&addresses, &against, Path::new("/"), SignIn::File, true);
        assert!(waiting.contains("another server's controllers act"));
    }

    #[test]
    fn only_a_terminal_is_shown_the_token() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(ADMIN_TOKEN_FILE), "mir_secret\n").unwrap();
        let addresses = Addresses {
            http: "http://127.0.0.1:7171".into(),
            https: "https://127.0.0.1:7443".into(),
            metrics: "http://127.0.0.1:7171/metrics".into(),
            railway: None,
            kubeconfig: "/kubeconfig".into(),
            pid: 1,
        };
        let text = |sign_in| banner(&addresses, &Against::Nothing, folder.path(), sign_in, false);
        assert!(text(SignIn::Link).contains("open http://127.0.0.1:7171/#token=mir_secret\n"));
        assert!(!text(SignIn::File).contains("mir_secret"));
    }
}
