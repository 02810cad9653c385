//! What a person sees when the server is up.

use std::{fmt::Write as _, path::Path};

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

/// The text, without any secret: files are named, not their content.
pub(crate) fn banner(addresses: &Addresses, against: &Against, data_dir: &Path) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "  {label:<11}{value}");
    };
    line(
        "API",
        &format!("{}  and  {}", addresses.https, addresses.http),
    );
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
    line("Data", &data_dir.display().to_string());
    format!(
        "\nMirage {} is up.\n\n{text}\n  export KUBECONFIG={}\n\n",
        env!("CARGO_PKG_VERSION"),
        addresses.kubeconfig.display()
    )
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
        insta::assert_snapshot!(banner(&addresses, &against, Path::new("/home/a/.mirage")), @r"

        Mirage 0.1.0 is up.

          API        https://127.0.0.1:7443  and  http://127.0.0.1:7171
          Metrics    http://127.0.0.1:7171/metrics
          Railway    simulated at http://127.0.0.1:40001/graphql/v2, 20x as fast as life
          Data       /home/a/.mirage

          export KUBECONFIG=/home/a/.mirage/kubeconfig
        ");
        assert!(
            banner(&addresses, &Against::Nothing, Path::new("/")).contains("RAILWAY_API_TOKEN")
        );
    }
}
