//! Documents whose number of root fields is only known when they are sent, so that they cannot stand in a file. The tests
//! hold them against the schemas like the others.

use std::fmt::Write as _;

/// Name of the operation that [`environment_configs`] makes.
pub(crate) const ENVIRONMENT_CONFIGS: &str = "EnvironmentConfigs";

/// Name of the operation that [`described_types`] makes.
pub(crate) const DESCRIBED_TYPES: &str = "DescribedTypes";

/// Reads `count` configurations at once: aliases `e0`, `e1`, …, variables `$i0`, `$p0`, … for environment and project.
pub(crate) fn environment_configs(count: usize) -> String {
    let mut document = format!("query {ENVIRONMENT_CONFIGS}(");
    for index in 0..count {
        let _ = write!(document, "$i{index}: String!, $p{index}: String!, ");
    }
    document.push_str(") {\n");
    for index in 0..count {
        let _ = writeln!(
            document,
            "  e{index}: environment(id: $i{index}, projectId: $p{index}) {{ id configEtag config(decryptVariables: true) }}"
        );
    }
    document.push_str("}\n");
    document
}

/// Asks the live schema which fields some types have: aliases `t0`, `t1`, ….
pub(crate) fn described_types<'a>(types: impl IntoIterator<Item = &'a str>) -> String {
    let mut document = format!("query {DESCRIBED_TYPES} {{\n");
    for (index, name) in types.into_iter().enumerate() {
        let _ = writeln!(
            document,
            "  t{index}: __type(name: \"{name}\") {{ fields(includeDeprecated: true) {{ name args {{ name }} }} inputFields {{ name }} }}"
        );
    }
    document.push_str("}\n");
    document
}
