//! What is said below a pull request: comments and reactions.

use jiff::Timestamp;
use serde_json::json;

use super::{Answer, Question, paged, pull_of};
use crate::github::state::{CommentRecord, Repository, State};

/// Most characters of a comment.
const LONGEST_COMMENT: usize = 65_536;

const REACTIONS: [&str; 8] = [
    "+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes",
];

pub(super) fn of_conversation(
    state: &mut State,
    name: &str,
    at: &mut Repository,
    question: &Question<'_>,
    rest: &[&str],
) -> Answer {
    let now = question.now;
    match (question.method, rest) {
        ("GET", [number, "comments"]) if pull_of(at, number).is_some() => {
            let list = at
                .comments
                .values()
                .filter(|comment| comment.number.to_string() == *number)
                .map(|comment| state.comment(name, comment))
                .collect();
            paged(state, question, list)
        }
        ("POST", [number, "comments"]) => {
            let Some(number) = pull_of(at, number) else {
                return Answer::not_found();
            };
            let body = question.text("body");
            if body.is_empty() || body.chars().count() > LONGEST_COMMENT {
                return Answer::error(422, "Validation Failed");
            }
            let comment = CommentRecord {
                id: state.next_id(),
                number,
                author: question.login.clone(),
                body,
                created_at: now,
                updated_at: now,
                reactions: Default::default(),
                edits: 0,
            };
            let shown = state.comment(name, &comment);
            at.comments.insert(comment.id, comment);
            touch(at, number, now);
            Answer::ok(201, shown)
        }
        (method, ["comments", id, rest @ ..]) => {
            let Some(mut comment) = id.parse().ok().and_then(|id: u64| at.comments.remove(&id))
            else {
                return Answer::not_found();
            };
            let answer = match (method, rest) {
                ("GET", []) => Answer::ok(200, state.comment(name, &comment)),
                ("PATCH", []) if comment.author != question.login => {
                    // It could, with the right to push; Mirage has no reason to touch what others said.
                    state
                        .violations
                        .push(format!("the comment {id} of {} was edited", comment.author));
                    Answer::error(403, "Resource not accessible")
                }
                ("PATCH", []) => {
                    let body = question.text("body");
                    if comment.body == body {
                        state
                            .violations
                            .push(format!("the comment {id} was written as it stands"));
                    }
                    comment.body = body;
                    comment.updated_at = now;
                    comment.edits += 1;
                    touch(at, comment.number, now);
                    Answer::ok(200, state.comment(name, &comment))
                }
                ("GET", ["reactions"]) => {
                    let list = comment
                        .reactions
                        .iter()
                        .map(|(login, content)| {
                            json!({ "id": 1, "content": content, "user": state.user(login) })
                        })
                        .collect();
                    paged(state, question, list)
                }
                ("POST", ["reactions"]) => {
                    let content = question.text("content");
                    if REACTIONS.contains(&content.as_str()) {
                        let mine = (question.login.clone(), content.clone());
                        let is_new = comment.reactions.insert(mine);
                        let body = json!({
                            "id": 1, "content": content, "user": state.user(&question.login),
                        });
                        Answer::ok(if is_new { 201 } else { 200 }, body)
                    } else {
                        Answer::error(422, "Validation Failed")
                    }
                }
                _ => Answer::not_found(),
            };
            at.comments.insert(comment.id, comment);
            answer
        }
        _ => Answer::not_found(),
    }
}

fn touch(at: &mut Repository, number: u64, now: Timestamp) {
    at.remember(now);
    if let Some(pull) = at.pulls.get_mut(&number) {
        pull.updated_at = now;
    }
}
