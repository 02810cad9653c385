//! The one comment on a pull request. Pure: the same story is told in the same words, so that it is written only when
//! something changed.

use std::fmt::Write as _;

use mirage_specs::{
    Environment, ServiceState,
    preview_policy::{EndingCause, PreviewState},
};

use super::{
    markdown::{fenced, plain},
    story::Story,
};
use crate::preview_policy::focus::Why;

/// GitHub takes 65,536 characters (source: REST reference, "Create an issue comment"); the rest is for what stands around.
const LIMIT: usize = 60_000;

/// The text of the comment.
pub fn comment(story: &Story<'_>) -> String {
    let mut text = story.marker.write(story.preview.heard);
    let mut add = |part: Option<String>| {
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            text.push_str("\n\n");
            text.push_str(&part);
        }
    };
    // The marker's line stands alone, or the heading would be part of it.
    add(Some(format!(
        "### {} Preview {}",
        sign(story.preview.state),
        plain(&story.headline())
    )));
    add(story.preview.message.as_deref().map(plain));
    add(story.environment.map(services));
    add(links(story));
    add(next_step(story));
    add(lifetime(story));
    add(logs(story));
    add(difference(story));
    add(left_out(story));
    add(story
        .preview
        .notice
        .as_deref()
        .map(|notice| format!("> {}", told(notice))));
    add(commands(story));
    if text.len() > LIMIT {
        let end = (0..=LIMIT)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

fn sign(state: PreviewState) -> &'static str {
    match state {
        PreviewState::Ready => "✅",
        PreviewState::Pending | PreviewState::Deploying => "🔄",
        PreviewState::Queued => "⏳",
        PreviewState::Failed | PreviewState::Conflict | PreviewState::Invalid => "❌",
        PreviewState::Unknown => "❔",
        PreviewState::Ignored
        | PreviewState::TearingDown
        | PreviewState::Expired
        | PreviewState::Destroyed
        | PreviewState::Closed => "💤",
    }
}

/// Our own words, with what others said in them made harmless. Commands in back-quotes stay as they are.
fn told(notice: &str) -> String {
    notice
        .split('`')
        .enumerate()
        .map(|(index, part)| {
            if index % 2 == 1 {
                format!("`{part}`")
            } else {
                let spaced = plain(part);
                // `plain` trims what stands between two quotations.
                let before = if part.starts_with(' ') { " " } else { "" };
                let after = if part.ends_with(' ') && !part.trim().is_empty() {
                    " "
                } else {
                    ""
                };
                format!("{before}{spaced}{after}")
            }
        })
        .collect()
}

fn services(environment: &Environment) -> String {
    let Some(status) = environment
        .status
        .as_ref()
        .filter(|status| !status.services.is_empty())
    else {
        return String::new();
    };
    let mut table = String::from("| Service | State | Address |\n|---|---|---|");
    for (name, service) in &status.services {
        let mut state = service.state.to_string();
        if let Some(message) = service
            .message
            .as_deref()
            .filter(|_| !matches!(service.state, ServiceState::Ready))
        {
            let _ = write!(state, ": {}", plain(message));
        }
        let addresses: Vec<&str> = service.urls.iter().map(String::as_str).collect();
        let _ = write!(
            table,
            "\n| {} | {state} | {} |",
            plain(name),
            addresses.join("<br>")
        );
    }
    table
}

fn links(story: &Story<'_>) -> Option<String> {
    let name = story.preview.environment.as_deref()?;
    let environment = story.environment?;
    let mut links = vec![format!("Environment `{name}`")];
    let railway = environment
        .status
        .as_ref()
        .and_then(|status| status.railway.as_ref())
        .and_then(|railway| railway.dashboard_url.as_deref());
    links.extend(railway.map(|url| format!("[on Railway]({url})")));
    links.extend(story.dashboard.map(|url| format!("[in Mirage]({url})")));
    Some(links.join(" · "))
}

fn next_step(story: &Story<'_>) -> Option<String> {
    let step = match story.preview.state {
        PreviewState::Failed => {
            "**What to do**: look at the lines below and push a fix, or say `/mirage redeploy` when the commit is not to blame."
        }
        PreviewState::Queued => {
            "It is made as soon as another preview of this repository is torn down."
        }
        PreviewState::Expired => "A push or `/mirage redeploy` brings it back.",
        PreviewState::Destroyed => {
            let by = story.preview.ended.as_ref()?;
            let by = (by.cause == EndingCause::Destroyed)
                .then_some(by.by.as_deref())
                .flatten();
            let who = by.map_or_else(|| "Somebody".to_owned(), plain);
            return Some(format!(
                "{who} said `/mirage destroy`. A push or `/mirage redeploy` brings it back."
            ));
        }
        PreviewState::Closed if !story.preview.merged && story.preview.message.is_none() => {
            "Reopening the pull request brings it back."
        }
        _ => return None,
    };
    Some(step.to_owned())
}

fn lifetime(story: &Story<'_>) -> Option<String> {
    let at = story.preview.expires_at?;
    Some(format!(
        "It is torn down at {}, unless somebody pushes before or says `/mirage extend 24h`.",
        at.strftime("%Y-%m-%d %H:%M UTC")
    ))
}

fn logs(story: &Story<'_>) -> Option<String> {
    let told: Vec<String> = story
        .logs
        .iter()
        .filter(|log| !log.lines.is_empty())
        .map(|log| {
            format!(
                "<details><summary>Last lines of {}</summary>\n\n{}\n\n</details>",
                plain(&log.service),
                fenced(&log.lines)
            )
        })
        .collect();
    (!told.is_empty()).then(|| told.join("\n\n"))
}

/// What somebody asked for with `/mirage diff`, as long as the commit is the same.
fn difference(story: &Story<'_>) -> Option<String> {
    if story.preview.diff_of.is_none() || story.preview.diff_of != story.preview.commit {
        return None;
    }
    let status = story
        .environment
        .and_then(|environment| environment.status.as_ref());
    let mut lines: Vec<String> = Vec::new();
    if let Some(status) = status {
        let planned = status.plan.iter().flat_map(|plan| &plan.actions);
        lines.extend(planned.map(|action| format!("- to do: {}", plain(&action.sentence))));
        lines.extend(
            status
                .drift
                .iter()
                .map(|action| format!("- changed by somebody else: {}", plain(&action.sentence))),
        );
    }
    if lines.is_empty() {
        let nothing = match status {
            Some(_) => "Railway is as declared: nothing is to be done.",
            None => "There is no environment to compare.",
        };
        lines.push(nothing.to_owned());
    }
    Some(format!("**Difference to Railway**\n\n{}", lines.join("\n")))
}

fn left_out(story: &Story<'_>) -> Option<String> {
    let mut lines = Vec::new();
    if let Some(focus) = story.focus.filter(|focus| !focus.left_out.is_empty()) {
        let touched: Vec<String> = focus
            .kept
            .iter()
            .filter(|(_, why)| matches!(why, Why::Touched(_)))
            .map(|(name, _)| plain(name))
            .collect();
        let out: Vec<String> = focus.left_out.iter().map(|name| plain(name)).collect();
        lines.push(format!(
            "This pull request touches {}; left out: {}.",
            touched.join(", "),
            out.join(", ")
        ));
    }
    if !story.withheld.is_empty() {
        let names: Vec<String> = story
            .withheld
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        lines.push(format!(
            "It comes from a fork, so it does not get {}.",
            names.join(", ")
        ));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn commands(story: &Story<'_>) -> Option<String> {
    let is_over = matches!(
        story.preview.state,
        PreviewState::Closed | PreviewState::Ignored
    ) || story.preview.closed_at.is_some();
    (!is_over).then(|| {
        "<sub>With write access: `/mirage redeploy` · `/mirage extend 24h` · `/mirage destroy` · `/mirage diff`</sub>".to_owned()
    })
}

#[cfg(test)]
mod tests;
