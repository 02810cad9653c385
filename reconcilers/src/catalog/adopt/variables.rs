//! Variables: preserved, unless their texts may stand in the spec.

use std::collections::BTreeMap;

use mirage_railway::{
    client::Disclosed,
    id::ServiceId,
    snapshot::{MARK, VariableSnapshot},
};
use mirage_specs::{
    name::VariableName,
    reference::{Reference, references},
};
use serde_json::{Map, Value, json};

/// What variables may refer to, and which of them may show their text.
pub(super) struct Scope<'a> {
    pub(super) texts: &'a Disclosed,
    pub(super) services: &'a [String],
}

impl Scope<'_> {
    pub(super) fn variables(
        &self,
        service: Option<&ServiceId>,
        shown_service: &str,
        variables: &BTreeMap<String, VariableSnapshot>,
        remarks: &mut Vec<String>,
    ) -> Value {
        let mut all = Map::new();
        for (name, seen) in variables.iter().filter(|(name, _)| *name != MARK) {
            let place = match shown_service {
                "" => name.clone(),
                service => format!("{service}.{name}"),
            };
            if let Err(error) = name.parse::<VariableName>() {
                remarks.push(format!("variable {place} is left out: {error}"));
                continue;
            }
            match seen {
                VariableSnapshot::Sealed => remarks.push(format!(
                    "variable {place} is sealed: it stays on Railway, and no copy of this environment will have it"
                )),
                VariableSnapshot::Masked => remarks.push(format!(
                    "variable {place} is not shown to this token: it stays on Railway"
                )),
                VariableSnapshot::Value(_) => {}
            }
            let text = self
                .texts
                .get(&(service.cloned(), name.clone()))
                .filter(|_| matches!(seen, VariableSnapshot::Value(_)))
                .filter(|text| self.leads_somewhere(text));
            let value = match text {
                Some(text) => json!(text),
                None => json!({"preserve": true}),
            };
            all.insert(name.clone(), value);
        }
        Value::Object(all)
    }

    /// A reference to what the spec does not have is refused at the door; its text stays on Railway.
    fn leads_somewhere(&self, text: &str) -> bool {
        references(text).into_iter().all(|found| match found {
            Ok(Reference::Own(_) | Reference::Shared(_)) => true,
            Ok(Reference::Service { service, .. }) => {
                self.services.iter().any(|known| known == service)
            }
            Err(_) => false,
        })
    }
}
