//! Making an object on a caller's account, as if the caller had sent it: same rights, same admission, same record.

use std::sync::Arc;

use serde_json::Value;

use super::stored::{self, GROUP, VERSION};
use crate::audit::Origin;
use crate::auth::Identity;
use crate::error::Status;
use crate::kubernetes::access;
use crate::kubernetes::body::Body;
use crate::kubernetes::call::Call;
use crate::kubernetes::negotiate::Accept;
use crate::kubernetes::request::{Query, RequestInfo, Verb};
use crate::kubernetes::write;
use crate::server::Server;

/// Creates an object of one of Mirage's kinds. Its fields go on the account of `manager`, in `metadata.managedFields`.
///
/// # Errors
/// As a `POST` of it.
pub(super) async fn created(
    server: &Arc<Server>,
    identity: &Identity,
    origin: &Arc<Origin>,
    manager: &str,
    plural: &str,
    namespace: &str,
    object: Value,
) -> Result<Value, Status> {
    let kind = stored::kind(server, plural)?;
    let info = RequestInfo {
        verb: Verb::Create,
        group: GROUP.to_owned(),
        version: VERSION.to_owned(),
        namespace: Some(namespace.to_owned()),
        resource: plural.to_owned(),
        name: None,
        subresource: None,
    };
    let query = Query::parse(None);
    access::check_request(server, identity, &info, &query).await?;
    let call = Call {
        server: Arc::clone(server),
        kind: Arc::clone(kind),
        info,
        query,
        identity: identity.clone(),
        origin: Arc::clone(origin),
        accept: Accept::JSON,
        body: Body::default(),
        user_agent: manager.to_owned(),
    };
    write::create_object(&call, object).await
}
