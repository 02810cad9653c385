//! Waking: an annotation on the object, written as anybody would write it, so that it reaches whoever reconciles the
//! object, in this process or in another.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::json;
use tower::ServiceExt as _;

use crate::access::MASTERS;
use crate::auth::Identity;
use crate::router::{self, Callers};
use crate::server::Server;

/// An object is written at once, and then not again for this long: a push is several webhooks, and a bot's afternoon is
/// hundreds. What came meanwhile is one write at the end, since the look that the first one caused may be over.
const REST: Duration = Duration::from_secs(3);

/// Under which name it is written, in audit records and managed fields.
const USERNAME: &str = "system:mirage-webhooks";
const FIELD_MANAGER: &str = "mirage-webhooks";

/// What to wake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Target {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) plural: String,
    pub(super) namespace: String,
    pub(super) name: String,
    /// What is written on it.
    pub(super) annotation: &'static str,
}

/// Objects that were woken a moment ago.
#[derive(Debug, Default)]
pub(super) struct Waking {
    /// Whether to write once more when the rest is over.
    resting: Mutex<HashMap<Target, bool>>,
    writes: AtomicU64,
}

impl Waking {
    fn resting(&self) -> MutexGuard<'_, HashMap<Target, bool>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes so far.
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Wakes it, soon; does not wait for that.
    pub(super) fn wake(self: &Arc<Self>, server: &Arc<Server>, target: Target) {
        let mut resting = self.resting();
        if let Some(again) = resting.get_mut(&target) {
            *again = true;
            return;
        }
        resting.insert(target.clone(), false);
        drop(resting);
        let (waking, server) = (Arc::clone(self), Arc::clone(server));
        tokio::spawn(async move {
            loop {
                waking.writes.fetch_add(1, Ordering::Relaxed);
                write(&server, &target).await;
                tokio::time::sleep(REST).await;
                let mut resting = waking.resting();
                match resting.get_mut(&target) {
                    Some(again) if *again => *again = false,
                    _ => {
                        resting.remove(&target);
                        return;
                    }
                }
            }
        });
    }
}

async fn write(server: &Arc<Server>, target: &Target) {
    let Target {
        group,
        version,
        plural,
        namespace,
        name,
        annotation,
    } = target;
    let patch = json!({"metadata": {"annotations": {*annotation: server.now().to_string()}}});
    let path = format!(
        "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}?fieldManager={FIELD_MANAGER}"
    );
    let request = Request::patch(path)
        .header(header::CONTENT_TYPE, "application/merge-patch+json")
        .body(Body::from(patch.to_string()));
    let Ok(request) = request else {
        return tracing::error!(%namespace, %name, "no request can be made of an object's name");
    };
    let identity = Identity {
        username: USERNAME.to_owned(),
        groups: vec![MASTERS.to_owned()],
        ..Identity::default()
    };
    let router = router::router(Arc::clone(server), Callers::Trusted(identity));
    let Ok(answer) = router.oneshot(request).await;
    match answer.status() {
        status if status.is_success() => {
            tracing::debug!(%plural, %namespace, %name, "a webhook woke it");
        }
        // It went meanwhile.
        StatusCode::NOT_FOUND => {}
        status => tracing::warn!(
            %plural, %namespace, %name, status = status.as_u16(),
            "a webhook could not wake it; it looks by itself when its interval is over"
        ),
    }
}
