//! Writing down what is known of a policy's pull requests, before anything is done that relies on it.

use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
};
use mirage_specs::{PreviewPolicy, PreviewPolicyStatus};
use serde_json::{Value, json};

use crate::environment::journal::merge_difference;

/// The status of one policy during a visit.
pub(super) struct Journal {
    api: Api<PreviewPolicy>,
    name: String,
    /// What the API server has.
    stored: PreviewPolicyStatus,
}

impl Journal {
    /// Of a policy that was just read.
    pub(super) fn open(api: Api<PreviewPolicy>, policy: &PreviewPolicy) -> Self {
        Self {
            api,
            name: policy.name_any(),
            stored: policy.status.clone().unwrap_or_default(),
        }
    }

    /// The status as the API server has it.
    pub(super) fn status(&self) -> &PreviewPolicyStatus {
        &self.stored
    }

    /// Writes a status, if it is another one. The status has one writer, so a merge patch needs no lock.
    ///
    /// # Errors
    /// When the API server did not take it.
    pub(super) async fn write(&mut self, next: PreviewPolicyStatus) -> Result<(), kube::Error> {
        if next == self.stored {
            return Ok(());
        }
        let patch = json!({ "status": merge_difference(&to_json(&self.stored), &to_json(&next)) });
        self.api
            .patch_status(&self.name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        self.stored = next;
        Ok(())
    }
}

fn to_json(status: &PreviewPolicyStatus) -> Value {
    serde_json::to_value(status).expect("a status holds only what JSON can say")
}
