//! RailwayAccounts: a Secret becomes a working credential, and its status says whether it is one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
    runtime::{controller::Action, events::EventType},
};
use mirage_railway::{
    client::{Identity, Token},
    error::{Class, Error},
    id::WorkspaceId,
    secret::{Fingerprint, SecretValue},
};
use mirage_specs::{RailwayAccount, RailwayAccountStatus, account::TokenType};
use serde_json::json;

use crate::{
    accounts::{Account, REFUSED_AGAIN, Standing},
    context::Context,
    environment::condition::{Finding, Truth, conditions, whole_seconds},
    reason::Reason,
};

/// A visit that could not be finished.
#[derive(Debug, thiserror::Error)]
#[error("the API server could not be reached")]
pub struct AccountError(#[from] kube::Error);

/// A credential at work, and the fingerprint of what it was made from.
type Opened = (Fingerprint, Arc<Account>);

/// What the account controller keeps between visits.
pub struct Keyring {
    /// Shared with the other controllers.
    pub context: Arc<Context>,
    /// The token this process was started with.
    pub default_token: Option<Token>,
    /// What each working credential was made from; another token makes another credential.
    open: Mutex<BTreeMap<(String, String), Opened>>,
}

impl Keyring {
    /// Empty.
    pub fn new(context: Arc<Context>, default_token: Option<Token>) -> Self {
        Self {
            context,
            default_token,
            open: Mutex::default(),
        }
    }
}

/// How often a working credential's budget is written into its status.
const BUDGET_EVERY: Duration = Duration::from_secs(300);

/// One visit to one account.
///
/// # Errors
/// When the API server does not answer. What Railway says of the token goes into the status.
#[tracing::instrument(
    name = "reconcile", skip_all,
    fields(kind = "RailwayAccount", namespace = object.namespace(), name = %object.name_any(), generation = object.metadata.generation)
)]
pub async fn reconcile(
    object: Arc<RailwayAccount>,
    keyring: Arc<Keyring>,
) -> Result<Action, AccountError> {
    let ctx = &keyring.context;
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    if object.metadata.deletion_timestamp.is_some() {
        ctx.accounts.remove(&namespace, &name);
        return Ok(Action::await_change());
    }
    let token = match token(&object, &namespace, &keyring).await? {
        Ok(token) => token,
        Err(why) => {
            ctx.accounts
                .set(&namespace, &name, Standing::Refused(why.clone()));
            publish(
                &object,
                &namespace,
                Truth::False,
                Reason::WaitingForSecret,
                why,
                None,
                ctx,
            )
            .await?;
            return Ok(Action::requeue(REFUSED_AGAIN.min(ctx.intervals.active * 6)));
        }
    };
    let fingerprint = fingerprint(&token, &object, ctx);
    let known = keyring
        .open
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&(namespace.clone(), name.clone()))
        .cloned();
    if let Some((made_from, account)) = known
        && made_from == fingerprint
        && is_ready(&object)
    {
        let budget = budget(&account);
        publish(
            &object,
            &namespace,
            Truth::True,
            Reason::Healthy,
            "the token works".to_owned(),
            Some((None, budget)),
            ctx,
        )
        .await?;
        return Ok(Action::requeue(BUDGET_EVERY));
    }
    verify(&object, &namespace, &name, token, fingerprint, &keyring).await
}

async fn verify(
    object: &RailwayAccount,
    namespace: &str,
    name: &str,
    token: Token,
    fingerprint: Fingerprint,
    keyring: &Keyring,
) -> Result<Action, AccountError> {
    let ctx = &keyring.context;
    let account = ctx.accounts.open(token);
    let found = match account.client.identify().await {
        Ok(identity) => workspace(object, &identity).map(|workspace| (workspace, identity)),
        // The token worked before, and it is not the token that fails: what is at work goes on.
        Err(error)
            if is_passing(&error)
                && matches!(ctx.accounts.get(namespace, name), Standing::Ready(_)) =>
        {
            return Ok(Action::requeue(again(&error, ctx)));
        }
        Err(error) => {
            let (reason, message) = crate::environment::finding::told(&error);
            let standing =
                Standing::Refused(format!("RailwayAccount {namespace}/{name}: {message}"));
            ctx.accounts.set(namespace, name, standing);
            publish(object, namespace, Truth::False, reason, message, None, ctx).await?;
            return Ok(Action::requeue(again(&error, ctx)));
        }
    };
    match found {
        Err(why) => {
            ctx.accounts
                .set(namespace, name, Standing::Refused(why.clone()));
            publish(
                object,
                namespace,
                Truth::False,
                Reason::InvalidSpec,
                why,
                None,
                ctx,
            )
            .await?;
            Ok(Action::requeue(ctx.intervals.resync))
        }
        Ok((workspace, identity)) => {
            account.act_in(workspace.as_ref(), &identity);
            // A write finds out by itself otherwise, at the price of a refused request.
            if let Err(error) = account.client.learn_capabilities().await {
                tracing::debug!(%error, "the API's capabilities could not be asked for");
            }
            let budget = budget(&account);
            ctx.accounts
                .set(namespace, name, Standing::Ready(Arc::clone(&account)));
            let key = (namespace.to_owned(), name.to_owned());
            keyring
                .open
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key, (fingerprint, account));
            let message = "the token works".to_owned();
            publish(
                object,
                namespace,
                Truth::True,
                Reason::Healthy,
                message,
                Some((workspace, budget)),
                ctx,
            )
            .await?;
            Ok(Action::requeue(BUDGET_EVERY))
        }
    }
}

/// What happens after a visit that could not be finished.
pub fn on_error(_: Arc<RailwayAccount>, error: &AccountError, keyring: Arc<Keyring>) -> Action {
    tracing::warn!(%error, "a reconcile could not be finished and is repeated");
    Action::requeue(keyring.context.intervals.active)
}

fn is_passing(error: &Error) -> bool {
    matches!(
        error.class(),
        Class::Transient | Class::Ambiguous | Class::NotYet | Class::RateLimited
    )
}

fn again(error: &Error, ctx: &Context) -> Duration {
    match error.class() {
        Class::Transient | Class::Ambiguous | Class::NotYet => ctx.intervals.active,
        Class::RateLimited => error.wait().unwrap_or(REFUSED_AGAIN),
        _ => REFUSED_AGAIN.min(ctx.intervals.active * 12),
    }
}

/// The token, or why there is none.
async fn token(
    object: &RailwayAccount,
    namespace: &str,
    keyring: &Keyring,
) -> Result<Result<Token, String>, AccountError> {
    let Some(reference) = &object.spec.secret_ref else {
        return Ok(keyring.default_token.clone().ok_or_else(|| {
            "no secretRef, and Mirage was started without RAILWAY_API_TOKEN or RAILWAY_TOKEN: give one of them".to_owned()
        }));
    };
    let api: Api<Secret> = Api::namespaced(keyring.context.client.clone(), namespace);
    let secret = api.get_opt(&reference.name).await?;
    let bytes = secret
        .and_then(|secret| secret.data)
        .and_then(|mut data| data.remove(&reference.key));
    let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes.0).ok()) else {
        return Ok(Err(format!(
            "spec.secretRef: there is no key {:?} in a Secret {:?} of this namespace; create it with \
             `kubectl create secret generic {} --from-literal={}=…`",
            reference.key, reference.name, reference.name, reference.key
        )));
    };
    let secret = SecretValue::new(text.trim());
    Ok(Ok(match object.spec.token_type.unwrap_or_default() {
        TokenType::Account => Token::Account(secret),
        TokenType::Project => Token::Project(secret),
    }))
}

fn fingerprint(token: &Token, object: &RailwayAccount, ctx: &Context) -> Fingerprint {
    let (kind, secret) = match token {
        Token::Account(secret) => ("account", secret),
        Token::Workspace(secret) => ("workspace", secret),
        Token::Project(secret) => ("project", secret),
    };
    let workspace = object.spec.workspace.as_deref().unwrap_or_default();
    ctx.key
        .fingerprint(&format!("{kind}\n{workspace}\n{}", secret.expose()))
}

/// The workspace to act in: the one that is named, or the only one there is. A project token has none and needs none.
fn workspace(
    object: &RailwayAccount,
    identity: &Identity,
) -> Result<Option<(WorkspaceId, String)>, String> {
    if identity.project.is_some() {
        return Ok(None);
    }
    let names = || {
        identity
            .workspaces
            .iter()
            .map(|(_, name)| name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (&object.spec.workspace, identity.workspaces.as_slice()) {
        (Some(wanted), all) => all
            .iter()
            .find(|(id, name)| name == wanted || id.as_str() == wanted)
            .map(|found| Some(found.clone()))
            .ok_or_else(|| {
                format!(
                    "spec.workspace: the token sees no workspace {wanted:?}; it sees: {}",
                    names()
                )
            }),
        (None, [only]) => Ok(Some(only.clone())),
        (None, []) => {
            Err("the token sees no workspace: make one that belongs to a workspace".to_owned())
        }
        (None, _) => Err(format!(
            "spec.workspace: the token sees several workspaces, say which one: {}",
            names()
        )),
    }
}

/// What is left of the hour, as a status shows it; `/metrics` has it by the second.
fn budget(account: &Account) -> Option<String> {
    let snapshot = account.client.budget().snapshot();
    // Before the first answer nothing is known of the window.
    snapshot.resets_in?;
    Some(format!("{}/{}", snapshot.left, snapshot.limit))
}

fn is_ready(object: &RailwayAccount) -> bool {
    let status = object.status.as_ref();
    status.is_some_and(|status| {
        status.observed_generation == object.metadata.generation
            && status
                .conditions
                .iter()
                .any(|condition| condition.type_ == "Ready" && condition.status == "True")
    })
}

type Seen = (Option<(WorkspaceId, String)>, Option<String>);

async fn publish(
    object: &RailwayAccount,
    namespace: &str,
    truth: Truth,
    reason: Reason,
    message: String,
    seen: Option<Seen>,
    ctx: &Arc<Context>,
) -> Result<(), AccountError> {
    let earlier = object.status.clone().unwrap_or_default();
    let generation = object.metadata.generation.unwrap_or(0);
    let now = ctx.now();
    let turned = earlier
        .conditions
        .iter()
        .all(|condition| condition.reason != reason.to_string());
    let note = message.clone();
    let findings = vec![Finding {
        kind: "Ready",
        truth,
        reason,
        message,
    }];
    let mut next = RailwayAccountStatus {
        observed_generation: Some(generation),
        conditions: conditions(&earlier.conditions, findings, generation, now),
        ..earlier.clone()
    };
    if let Some((workspace, budget)) = seen {
        if let Some((id, name)) = workspace {
            next.workspace_id = Some(id.to_string());
            next.workspace = Some(name);
        }
        next.budget = budget.or(next.budget);
    }
    if next == earlier {
        return Ok(());
    }
    if truth == Truth::True {
        next.last_verified = Some(whole_seconds(now));
    }
    let api: Api<RailwayAccount> = Api::namespaced(ctx.client.clone(), namespace);
    let patch = json!({ "status": next });
    api.patch_status(
        &object.name_any(),
        &PatchParams::default(),
        &Patch::Merge(patch),
    )
    .await?;
    if turned {
        let severity = if truth == Truth::True {
            EventType::Normal
        } else {
            EventType::Warning
        };
        ctx.tell(object, severity, reason.into(), note).await;
    }
    Ok(())
}
