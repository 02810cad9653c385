//! Somebody who writes without pause, to the same few objects as all the others.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::document::{self, COLLECTION};
use super::journal::{Action, Answer, Attempt};
use super::line::{Line, Reply};

/// So many objects: few enough that writers meet at them.
const KEYS: u32 = 12;

/// A writer, and what it knows.
pub struct Writer {
    name: String,
    random: StdRng,
    line: Line,
    count: u64,
    /// The newest version that it was told of, by key.
    known: BTreeMap<String, u64>,
    attempts: Vec<Attempt>,
}

impl Writer {
    /// One of several; the seed decides what it does.
    pub fn new(name: &str, seed: u64, line: Line) -> Self {
        Self {
            name: name.to_owned(),
            random: StdRng::seed_from_u64(seed),
            line,
            count: 0,
            known: BTreeMap::new(),
            attempts: Vec::new(),
        }
    }

    /// Writes until told to stop, counting what is acknowledged; returns what it did.
    ///
    /// # Errors
    /// An answer that no server should give.
    pub async fn work(
        mut self,
        done: watch::Sender<u64>,
        stop: CancellationToken,
    ) -> Result<Vec<Attempt>> {
        while !stop.is_cancelled() {
            let key = format!("k{}", self.random.random_range(0..KEYS));
            let Some(action) = self.choose(&key) else {
                self.learn(&key).await?;
                continue;
            };
            if let Answer::Done(_) = self.attempt(&key, action).await? {
                done.send_modify(|count| *count += 1);
            }
        }
        Ok(self.attempts)
    }

    /// Creates this object, however many attempts it takes.
    ///
    /// # Errors
    /// An answer that no server should give.
    pub async fn finish(mut self, key: &str) -> Result<Vec<Attempt>> {
        while !self.known.contains_key(key) {
            self.attempt(key, Action::Create).await?;
            // An attempt without an answer may have done it.
            self.learn(key).await?;
        }
        Ok(self.attempts)
    }

    /// What to do with the object; nothing when it should be looked at first.
    fn choose(&mut self, key: &str) -> Option<Action> {
        let chance = self.random.random_range(0..100);
        match self.known.get(key) {
            None if chance < 60 => Some(Action::Create),
            None => None,
            Some(&from) => Some(match chance {
                0..45 => Action::Update { from },
                45..75 => Action::Patch,
                75..90 => Action::Delete { from },
                _ => Action::Create,
            }),
        }
    }

    async fn learn(&mut self, key: &str) -> Result<()> {
        let path = format!("{COLLECTION}/{key}");
        let request = self.line.request(Method::GET, &path).await?;
        match self.line.ask(request).await {
            Reply::Answer(200, object) => {
                if let Some(version) = document::version(&object) {
                    self.known.insert(key.to_owned(), version);
                }
            }
            Reply::Answer(404 | 500.., _) => {}
            Reply::Answer(code, body) => bail!("GET {path} was answered with {code}: {body}"),
            Reply::NotSent | Reply::Lost => self.line.pause().await,
        }
        Ok(())
    }

    async fn attempt(&mut self, key: &str, action: Action) -> Result<Answer> {
        self.count += 1;
        let mark = format!("{}-{}.", self.name, self.count);
        let object = format!("{COLLECTION}/{key}");
        let (method, path, kind, body) = match action {
            Action::Create => (
                Method::POST,
                COLLECTION,
                "application/json",
                document::whole(key, &mark, None),
            ),
            Action::Update { from } => (
                Method::PUT,
                object.as_str(),
                "application/json",
                document::whole(key, &mark, Some(from)),
            ),
            Action::Patch => (
                Method::PATCH,
                object.as_str(),
                "application/merge-patch+json",
                document::patch(&mark),
            ),
            Action::Delete { from } => (
                Method::DELETE,
                object.as_str(),
                "application/json",
                json!({"preconditions": {"resourceVersion": from.to_string()}}),
            ),
        };
        let request = self.line.request(method, path).await?;
        let request = request.header("content-type", kind).body(body.to_string());
        let begun = self.line.now();
        let reply = self.line.ask(request).await;
        let ended = self.line.now();
        let answer = match reply {
            Reply::Answer(200..300, object) => self.done(key, action, &object),
            Reply::Answer(404 | 409, _) => {
                self.known.remove(key);
                Answer::Refused
            }
            Reply::Answer(500.., _) | Reply::Lost => {
                self.line.pause().await;
                Answer::Nothing
            }
            Reply::Answer(code, body) => {
                bail!("{action:?} of {key} was answered with {code}: {body}")
            }
            Reply::NotSent => {
                self.line.pause().await;
                Answer::Refused
            }
        };
        self.attempts.push(Attempt {
            key: key.to_owned(),
            mark,
            action,
            answer,
            begun,
            ended,
        });
        Ok(answer)
    }

    fn done(&mut self, key: &str, action: Action, object: &Value) -> Answer {
        if let Action::Delete { .. } = action {
            self.known.remove(key);
            return Answer::Done(None);
        }
        let version = document::version(object);
        if let Some(version) = version {
            self.known.insert(key.to_owned(), version);
        }
        Answer::Done(version)
    }
}
