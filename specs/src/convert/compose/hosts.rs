//! Host names: in Compose a service is reached by its name, on Railway by a variable.

use std::collections::BTreeMap;

/// Writes `${{service.RAILWAY_PRIVATE_DOMAIN}}` where a text uses a service's name as a host: behind `//` or `@`, and
/// before a port, a path or the end. `names` are Compose's names with Railway's.
pub(super) fn to_references(text: &str, names: &BTreeMap<String, String>) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some(at) = next_host(rest) {
        let (before, from) = rest.split_at(at);
        written.push_str(before);
        let end = from
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .unwrap_or(from.len());
        let (host, after) = from.split_at(end);
        // `user:password@` looks like a host and port until its `@`.
        let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
        match names.get(host).filter(|_| !authority.contains('@')) {
            Some(service) => {
                written.push_str(&format!("${{{{{service}.RAILWAY_PRIVATE_DOMAIN}}}}"));
            }
            None => written.push_str(host),
        }
        rest = after;
    }
    written.push_str(rest);
    if let Some(service) = names.get(text) {
        // The whole value is a service's name: a host, as a rule.
        return format!("${{{{{service}.RAILWAY_PRIVATE_DOMAIN}}}}");
    }
    written
}

/// Where the next host may begin.
fn next_host(text: &str) -> Option<usize> {
    let after_scheme = text.find("://").map(|at| at + 3);
    let after_user = text.find('@').map(|at| at + 1);
    [after_scheme, after_user].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_become_references_and_other_words_stay() {
        let names = BTreeMap::from([
            ("db".to_owned(), "db".to_owned()),
            ("c.1".to_owned(), "c-1".to_owned()),
        ]);
        for (text, expected) in [
            (
                "postgres://app:db@db:5432/db",
                "postgres://app:db@${{db.RAILWAY_PRIVATE_DOMAIN}}:5432/db",
            ),
            ("http://c.1/x", "http://${{c-1.RAILWAY_PRIVATE_DOMAIN}}/x"),
            ("db", "${{db.RAILWAY_PRIVATE_DOMAIN}}"),
            ("http://other/db", "http://other/db"),
            ("redis://db", "redis://${{db.RAILWAY_PRIVATE_DOMAIN}}"),
            ("the db is here", "the db is here"),
            ("amqp://db:pw@mq", "amqp://db:pw@mq"),
        ] {
            assert_eq!(to_references(text, &names), expected);
        }
    }
}
