//! Railway's variable references: `${{service.NAME}}`, `${{shared.NAME}}`, `${{NAME}}`.
//!
//! Railway renders what it cannot resolve as an empty string, so a slip would show as a missing value at run time;
//! reading references here is what lets `validate` refuse it at the door.

use crate::name::is_variable_name;

/// What one reference points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// A variable of the same service, or one Railway provides.
    Own(&'a str),
    /// A variable shared by all services.
    Shared(&'a str),
    /// A variable of another service.
    Service {
        /// Name of that service.
        service: &'a str,
        /// Name of the variable there.
        name: &'a str,
    },
}

/// A text between `${{` and `}}` that is not a reference, or a `${{` that is never closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidReference(&'static str);

/// Every reference in `text`, in order.
pub fn references(text: &str) -> Vec<Result<Reference<'_>, InvalidReference>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${{") {
        let body = &rest[start + 3..];
        let Some(end) = body.find("}}") else {
            found.push(Err(InvalidReference(
                "a reference is opened with ${{ and never closed with }}",
            )));
            break;
        };
        found.push(parse(body[..end].trim()));
        rest = &body[end + 2..];
    }
    found
}

fn parse(body: &str) -> Result<Reference<'_>, InvalidReference> {
    let (scope, name) = match body.rsplit_once('.') {
        Some((scope, name)) => (Some(scope.trim()), name.trim()),
        None => (None, body),
    };
    if !is_variable_name(name) {
        return Err(InvalidReference(
            "a reference is ${{NAME}}, ${{shared.NAME}} or ${{service.NAME}}",
        ));
    }
    match scope {
        None => Ok(Reference::Own(name)),
        Some("shared") => Ok(Reference::Shared(name)),
        Some("") => Err(InvalidReference(
            "a reference names its service before the dot",
        )),
        Some(service) => Ok(Reference::Service { service, name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_wherever_they_stand() {
        assert_eq!(
            references("postgres://${{PGUSER}}@${{ my db.HOST }}/${{shared.DB}}"),
            vec![
                Ok(Reference::Own("PGUSER")),
                Ok(Reference::Service {
                    service: "my db",
                    name: "HOST"
                }),
                Ok(Reference::Shared("DB")),
            ]
        );
        assert!(references("$HOME ${HOME} {{x}}").is_empty());
    }

    #[test]
    fn broken_references_are_errors() {
        for text in [
            "${{api.URL",
            "${{}}",
            "${{ secret(32) }}",
            "${{.URL}}",
            "${{api.}}",
        ] {
            let found = references(text);
            assert!(found.len() == 1 && found[0].is_err(), "{text}: {found:?}");
        }
    }
}
