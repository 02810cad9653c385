//! Writing down, through the API like everything else, what is about to happen and what has happened.

use std::sync::Arc;

use kube::api::{Api, Patch, PatchParams};
use mirage_specs::{Environment, EnvironmentStatus};
use serde_json::{Map, Value, json};

/// The status of one Environment while a reconcile works on it. Each change is in the API server before the call that
/// relies on it is made.
pub struct Journal {
    api: Api<Environment>,
    name: String,
    status: EnvironmentStatus,
    /// What the API server has.
    stored: EnvironmentStatus,
}

impl Journal {
    /// Opens the journal of an object that was just read.
    pub fn open(api: Api<Environment>, environment: &Arc<Environment>) -> Self {
        let status = environment.status.clone().unwrap_or_default();
        let name = environment.metadata.name.clone().unwrap_or_default();
        Self {
            api,
            name,
            stored: status.clone(),
            status,
        }
    }

    /// The status as it stands.
    pub fn status(&self) -> &EnvironmentStatus {
        &self.status
    }

    /// Changes the status and writes it, if that changed anything.
    ///
    /// # Errors
    /// When the API server did not take it; the effect that depends on it must not happen then.
    pub async fn write(
        &mut self,
        change: impl FnOnce(&mut EnvironmentStatus),
    ) -> Result<(), kube::Error> {
        change(&mut self.status);
        if self.status == self.stored {
            return Ok(());
        }
        // A merge patch, and no lock: the status has one writer, and a spec edited meanwhile must not keep us from
        // writing down what we have already done.
        let patch =
            json!({ "status": merge_difference(&to_json(&self.stored), &to_json(&self.status)) });
        self.api
            .patch_status(&self.name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        self.stored = self.status.clone();
        Ok(())
    }
}

fn to_json(status: &EnvironmentStatus) -> Value {
    serde_json::to_value(status).expect("a status holds only what JSON can say")
}

/// The merge patch (RFC 7396) that turns `from` into `to`.
pub(crate) fn merge_difference(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else {
        return to.clone();
    };
    let mut patch = Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in to {
        match from.get(key) {
            Some(old) if old == value => {}
            Some(old) => {
                patch.insert(key.clone(), merge_difference(old, value));
            }
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_difference_removes_what_went_and_leaves_what_stayed() {
        let from = json!({"a": 1, "b": {"c": 1, "d": [1]}, "gone": true});
        let to = json!({"a": 1, "b": {"c": 2, "d": [1]}, "e": []});
        assert_eq!(
            merge_difference(&from, &to),
            json!({"b": {"c": 2}, "e": [], "gone": null})
        );
    }
}
