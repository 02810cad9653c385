//! What the live API offers beyond what it must.

use std::sync::atomic::Ordering;

use serde_json::{Map, Value};

use crate::{client::Client, error::Error, operations::by_alias};

impl Client {
    /// Asks once whether the API has change sets, so that no write has to find out. Without an answer the first change set
    /// finds out.
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn learn_capabilities(&self) -> Result<(), Error> {
        let document = by_alias::described_types(["Mutation"]);
        let variables = Value::Object(Map::new());
        let body = self
            .call_by_alias(by_alias::DESCRIBED_TYPES, &document, variables)
            .await?;
        let fields = body
            .data
            .as_ref()
            .and_then(|data| data["t0"]["fields"].as_array());
        if let Some(fields) = fields {
            let has = fields
                .iter()
                .any(|field| field["name"] == "environmentApplyChangeSet");
            self.inner.lacks_change_sets.store(!has, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        change::{EnvironmentChange, NewService, ServiceChange},
        scripted::{Canned, Scripted},
        write::WritePath,
    };

    #[tokio::test(start_paused = true)]
    async fn an_api_without_change_sets_is_known_before_the_first_write() {
        let mut change = EnvironmentChange::default();
        let new = ServiceChange::Create(NewService::default());
        change.services.insert("web".to_owned(), new);
        for (field, path) in [
            ("environmentApplyChangeSet", WritePath::ChangeSet),
            ("environmentPatchCommit", WritePath::Patch),
        ] {
            let railway = Scripted::new();
            let fields =
                json!({"t0": {"fields": [{"name": field, "args": []}], "inputFields": null}});
            railway.once("DescribedTypes", Canned::data(fields));
            let client = railway.client();
            client.learn_capabilities().await.unwrap();
            assert_eq!(client.planned_path(&change), path);
        }
    }
}
