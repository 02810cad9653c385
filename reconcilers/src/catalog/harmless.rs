//! Which variables' texts may stand in a spec without anybody having asked for it. Pure.

use mirage_specs::reference::references;

/// Whether a text is made of references and of nothing that could be a secret.
///
/// A value with a reference in it may still hold a password beside it, so what is around the references must be one of: the
/// scheme of a URL at the start, a port, and punctuation. `postgresql://${{PGUSER}}:${{PGPASSWORD}}@${{PGHOST}}:5432/${{PGDATABASE}}`
/// is harmless; `postgresql://app:hunter2@${{PGHOST}}` is not, and neither is a text without any reference.
pub fn is_harmless(text: &str) -> bool {
    let found = references(text);
    if found.is_empty() || found.iter().any(Result::is_err) {
        return false;
    }
    let mut rest = text;
    let mut is_first = true;
    while let Some(start) = rest.find("${{") {
        if !is_glue(&rest[..start], is_first) {
            return false;
        }
        is_first = false;
        let body = &rest[start..];
        let Some(end) = body.find("}}") else {
            return false;
        };
        rest = &body[end + 2..];
    }
    is_glue(rest, false)
}

/// What may stand before, between and after references.
fn is_glue(text: &str, is_first: bool) -> bool {
    let text = match text.split_once("://") {
        Some((scheme, rest)) if is_first && is_scheme(scheme) => rest,
        _ => text,
    };
    let without_port = match text.strip_prefix(':') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits <= 5 { &rest[digits..] } else { rest }
        }
        None => text,
    };
    without_port
        .chars()
        .all(|character| ":/@?&=.,;-_| ".contains(character))
}

fn is_scheme(text: &str) -> bool {
    text.len() <= 20
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_the_glue_between_them_are_harmless() {
        for text in [
            "${{db.DATABASE_URL}}",
            "postgresql://${{PGUSER}}:${{PGPASSWORD}}@${{RAILWAY_PRIVATE_DOMAIN}}:5432/${{PGDATABASE}}",
            "https://${{RAILWAY_PUBLIC_DOMAIN}}/",
            "http://${{api.RAILWAY_PRIVATE_DOMAIN}}:8080",
            "${{shared.A}}, ${{shared.B}}",
        ] {
            assert!(is_harmless(text), "{text}");
        }
    }

    #[test]
    fn whatever_could_be_a_secret_is_not() {
        for text in [
            "",
            "hunter2",
            "12345",
            "postgresql://app:hunter2@${{PGHOST}}",
            "${{PREFIX}}-hunter2",
            "${{A}}:123456",
            "hunter2://${{A}}x",
            "${{A",
            "a ${{A}}",
            "${{A}}://b",
        ] {
            assert!(!is_harmless(text), "{text}");
        }
    }
}
