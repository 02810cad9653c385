//! What happens to the objects that are waited for: a picture that moves in a terminal, a line per change elsewhere.

use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, Write},
    time::{Duration, Instant},
};

use kube::api::DynamicObject;
use mirage_specs::{EnvironmentStatus, ServiceState};

use crate::cli::failure::Failure;

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// Reasons whose message says the same as the states of the services.
const TOLD_BY_SERVICES: [&str; 4] = [
    "Applying",
    "ChangeApplying",
    "ServicesDeploying",
    "ServiceFailed",
];

/// How the wait for one object ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As wanted.
    Reached,
    /// It will not be as wanted by waiting longer, and why.
    Failed(String),
}

/// Everything that is shown of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct View {
    phase: String,
    services_ready: String,
    /// Why it is not ready, in the words of its condition.
    why: String,
    url: String,
    services: BTreeMap<String, Service>,
    verdict: Option<Verdict>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Service {
    state: ServiceState,
    detail: String,
}

/// Shows objects while they change.
pub(crate) struct Progress<'a> {
    out: &'a mut dyn Write,
    names: Vec<String>,
    views: Vec<View>,
    started: Instant,
    /// `Some` in a terminal: how many lines the picture has.
    picture: Option<usize>,
    frame: usize,
    colour: bool,
}

impl<'a> Progress<'a> {
    /// Shows the objects on `out`, which is taken for stdout when it comes to whether a person looks at it.
    pub(crate) fn new(out: &'a mut dyn Write, names: Vec<String>) -> Self {
        let is_terminal = std::io::stdout().is_terminal()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self {
            views: vec![View::default(); names.len()],
            out,
            names,
            started: Instant::now(),
            picture: is_terminal.then_some(0),
            frame: 0,
            colour: is_terminal && std::env::var_os("NO_COLOR").is_none(),
        }
    }

    /// Whether there is a picture to be moved.
    pub(crate) fn is_live(&self) -> bool {
        self.picture.is_some()
    }

    /// Takes in a state of one object; `None` when it is gone.
    pub(crate) fn saw(
        &mut self,
        index: usize,
        object: Option<&DynamicObject>,
        verdict: Option<&Verdict>,
    ) -> Result<(), Failure> {
        let mut view = match object {
            Some(object) => View::of(object),
            None => View {
                phase: "Gone".to_owned(),
                ..View::default()
            },
        };
        view.verdict = verdict.cloned();
        let before = std::mem::replace(&mut self.views[index], view);
        if self.picture.is_some() {
            self.draw()
        } else {
            let elapsed = elapsed(self.started.elapsed());
            for line in changes(&self.names[index], &before, &self.views[index], &elapsed) {
                writeln!(self.out, "{line}")?;
            }
            Ok(self.out.flush()?)
        }
    }

    /// Draws the picture anew over itself.
    pub(crate) fn draw(&mut self) -> Result<(), Failure> {
        let Some(height) = self.picture else {
            return Ok(());
        };
        self.frame += 1;
        let spinner = SPINNER[self.frame % SPINNER.len()];
        let elapsed = elapsed(self.started.elapsed());
        let lines: Vec<String> = self
            .names
            .iter()
            .zip(&self.views)
            .flat_map(|(name, view)| picture(name, view, spinner, &elapsed, self.colour))
            .collect();
        // Up to the first line, wrapping off so that a long line stays one line, clear, draw, wrapping on.
        if height > 0 {
            write!(self.out, "\x1b[{height}A")?;
        }
        write!(self.out, "\r\x1b[J\x1b[?7l")?;
        for line in &lines {
            writeln!(self.out, "{line}")?;
        }
        write!(self.out, "\x1b[?7h")?;
        self.picture = Some(lines.len());
        Ok(self.out.flush()?)
    }

    /// Leaves the last picture standing.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        self.draw()
    }
}

impl View {
    fn of(object: &DynamicObject) -> Self {
        // A kind without such a status, or a newer server's, still has a verdict to show.
        let status: EnvironmentStatus =
            serde_json::from_value(object.data["status"].clone()).unwrap_or_default();
        let ready = status.conditions.iter().find(|one| one.type_ == "Ready");
        let why = ready.filter(|ready| ready.status != "True").map(|ready| {
            match ready.message.as_str() {
                "" => ready.reason.clone(),
                // What the services do stands beside each of them.
                _ if TOLD_BY_SERVICES.contains(&ready.reason.as_str()) => ready.reason.clone(),
                message => format!("{}: {message}", ready.reason),
            }
        });
        Self {
            phase: if object.metadata.deletion_timestamp.is_some() {
                "Deleting".to_owned()
            } else {
                status.phase.unwrap_or_else(|| "Pending".to_owned())
            },
            services_ready: status.services_ready.unwrap_or_default(),
            why: why.unwrap_or_default(),
            url: status.url.unwrap_or_default(),
            services: status
                .services
                .into_iter()
                .map(|(name, service)| {
                    let said = service.message.filter(|message| !message.is_empty());
                    let detail = match service.state {
                        ServiceState::Ready => service.urls.into_iter().next(),
                        _ => said.or(service.deployment_status),
                    };
                    let service = Service {
                        state: service.state,
                        detail: detail.unwrap_or_default(),
                    };
                    (name, service)
                })
                .collect(),
            verdict: None,
        }
    }
}

/// A line for each thing that is different, the most general last.
fn changes(name: &str, before: &View, after: &View, elapsed: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (service, now) in &after.services {
        if before.services.get(service) != Some(now) {
            let detail = if now.detail.is_empty() {
                String::new()
            } else {
                format!(" ({})", now.detail)
            };
            lines.push(format!("{name}/{service}: {}{detail}", now.state));
        }
    }
    for service in before.services.keys() {
        if !after.services.contains_key(service) {
            lines.push(format!("{name}/{service}: gone"));
        }
    }
    if before.verdict.is_none() && after.verdict.is_some() {
        lines.push(match &after.verdict {
            Some(Verdict::Failed(why)) => format!("{name}: failed after {elapsed}: {why}"),
            _ => {
                let url = if after.url.is_empty() {
                    String::new()
                } else {
                    format!(" {}", after.url)
                };
                format!("{name}: {} after {elapsed}{url}", after.phase)
            }
        });
    } else if (&before.phase, &before.why) != (&after.phase, &after.why) {
        let why = if after.why.is_empty() {
            String::new()
        } else {
            format!(" ({})", after.why)
        };
        lines.push(format!("{name}: {}{why}", after.phase));
    }
    lines
}

/// The lines of one object in a terminal.
fn picture(name: &str, view: &View, spinner: &str, elapsed: &str, colour: bool) -> Vec<String> {
    let paint = |code: &str, text: &str| {
        if colour && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    };
    let mark = match &view.verdict {
        Some(Verdict::Reached) => paint("32", "✓"),
        Some(Verdict::Failed(_)) => paint("31", "✗"),
        None => paint("36", spinner),
    };
    let mut head = format!("{mark} {}  {}", paint("1", name), view.phase);
    if !view.services_ready.is_empty() {
        head.push_str(&format!("  {} ready", view.services_ready));
    }
    if view.verdict.is_none() {
        head.push_str(&paint("2", &format!("  {elapsed}")));
    }
    if !view.url.is_empty() {
        head.push_str(&format!("  {}", paint("4", &view.url)));
    }
    let mut lines = vec![head];
    let width = view
        .services
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default();
    for (service, now) in &view.services {
        let mark = match now.state {
            ServiceState::Ready | ServiceState::Sleeping => paint("32", "✓"),
            ServiceState::Failed | ServiceState::Blocked => paint("31", "✗"),
            ServiceState::Deploying => paint("36", spinner),
            ServiceState::Unknown | ServiceState::Pending | ServiceState::Stopped => {
                paint("2", "·")
            }
        };
        let state = now.state.to_string();
        let line = format!(
            "  {mark} {service:<width$}  {state:<9}  {}",
            paint("2", &now.detail)
        );
        lines.push(line.trim_end().to_owned());
    }
    match &view.verdict {
        Some(Verdict::Failed(why)) => lines.push(format!("  {}", paint("31", why))),
        None if !view.why.is_empty() => lines.push(format!("  {}", paint("33", &view.why))),
        _ => {}
    }
    lines
}

fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{seconds}s")
    } else {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(status: serde_json::Value) -> View {
        let object = serde_json::json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "shop"}, "status": status,
        });
        View::of(&serde_json::from_value(object).unwrap())
    }

    fn half() -> View {
        view(serde_json::json!({
            "phase": "Provisioning", "servicesReady": "1/2",
            "conditions": [{"type": "Ready", "status": "False", "reason": "WaitingForDependency",
                "message": "web waits for postgres", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            "services": {
                "postgres": {"state": "Ready"},
                "web": {"state": "Deploying", "deploymentStatus": "BUILDING"},
            },
        }))
    }

    fn done() -> View {
        let mut view = view(serde_json::json!({
            "phase": "Ready", "servicesReady": "2/2", "url": "https://web.up.railway.app",
            "services": {
                "postgres": {"state": "Ready"},
                "web": {"state": "Ready", "urls": ["https://web.up.railway.app"]},
            },
        }));
        view.verdict = Some(Verdict::Reached);
        view
    }

    #[test]
    fn a_pipe_gets_one_line_a_change_and_none_when_nothing_changed() {
        let first = changes("shop", &View::default(), &half(), "1s");
        insta::assert_snapshot!(first.join("\n"), @r"
        shop/postgres: Ready
        shop/web: Deploying (BUILDING)
        shop: Provisioning (WaitingForDependency: web waits for postgres)
        ");
        assert_eq!(
            changes("shop", &half(), &half(), "2s"),
            Vec::<String>::new()
        );
        insta::assert_snapshot!(changes("shop", &half(), &done(), "42s").join("\n"), @r"
        shop/web: Ready (https://web.up.railway.app)
        shop: Ready after 42s https://web.up.railway.app
        ");
    }

    #[test]
    fn a_terminal_shows_every_service_under_its_environment() {
        insta::assert_snapshot!(picture("shop", &half(), "*", "12s", false).join("\n"), @r"
        * shop  Provisioning  1/2 ready  12s
          ✓ postgres  Ready
          * web       Deploying  BUILDING
          WaitingForDependency: web waits for postgres
        ");
        insta::assert_snapshot!(picture("shop", &done(), "*", "42s", false).join("\n"), @r"
        ✓ shop  Ready  2/2 ready  https://web.up.railway.app
          ✓ postgres  Ready
          ✓ web       Ready      https://web.up.railway.app
        ");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(elapsed(Duration::from_secs(42)), "42s");
        assert_eq!(elapsed(Duration::from_secs(125)), "2m05s");
    }
}
