//! Which restarts were asked for, so that each is made once. Pure.

use jiff::Timestamp;
use mirage_specs::rollout::{RestartStatus, RestartedService};

use super::request::Request;

/// A restart is about to be asked for. Those of an earlier request are forgotten.
pub fn begin(
    restarts: &mut Option<RestartStatus>,
    asked: &Request,
    service: &str,
    before: String,
    at: Timestamp,
) {
    let known = restarts
        .take()
        .filter(|restarts| restarts.asked == asked.token);
    let mut next = known.unwrap_or_else(|| RestartStatus {
        asked: asked.token.clone(),
        ..RestartStatus::default()
    });
    let restart = RestartedService {
        at,
        before,
        done: false,
    };
    next.services.insert(service.to_owned(), restart);
    *restarts = Some(next);
}

/// Railway said that it was done.
pub fn done(restarts: &mut Option<RestartStatus>, service: &str) {
    let known = restarts
        .as_mut()
        .and_then(|restarts| restarts.services.get_mut(service));
    if let Some(restart) = known {
        restart.done = true;
    }
}

/// It is known not to have happened.
pub fn strike(restarts: &mut Option<RestartStatus>, service: &str) {
    if let Some(restarts) = restarts {
        restarts.services.remove(service);
    }
}
