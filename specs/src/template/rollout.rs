//! How a change of a template reaches its environments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::environment::EnvironmentType;

/// How a change of a template reaches its environments: wave by wave, each waiting for the ones before it to be as the
/// changed template wants them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateRollout {
    /// Types of environments, wave by wave; `[[dev, ephemeral], [staging], [prod]]` when empty. Types left out are a last
    /// wave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waves: Vec<Vec<EnvironmentType>>,
    /// Environments of a wave that are changed at the same time; 5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub parallel: Option<u16>,
    /// What happens to the rest when an environment fails with the change; `halt` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailedWave>,
}

/// What happens when an environment fails with a changed template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFailedWave {
    /// Those that come after it keep what they have, until it recovers, the template changes again, or a person lets one
    /// of them go on.
    #[default]
    Halt,
    /// The others go on as if it were fine.
    Continue,
}

/// The waves of a template that names none: those first whose loss hurts least.
const WAVES: [&[EnvironmentType]; 3] = [
    &[EnvironmentType::Dev, EnvironmentType::Ephemeral],
    &[EnvironmentType::Staging],
    &[EnvironmentType::Prod],
];

/// Environments changed at the same time unless the template says otherwise.
const PARALLEL: u16 = 5;

impl TemplateRollout {
    /// The wave of an environment type, counted from 0.
    pub fn wave(&self, environment_type: EnvironmentType) -> usize {
        if self.waves.is_empty() {
            return position(&WAVES, environment_type);
        }
        position(&self.waves, environment_type)
    }

    /// Environments of a wave that may be changed at the same time.
    pub fn parallel(&self) -> usize {
        usize::from(self.parallel.unwrap_or(PARALLEL).max(1))
    }
}

fn position<W: AsRef<[EnvironmentType]>>(waves: &[W], wanted: EnvironmentType) -> usize {
    waves
        .iter()
        .position(|wave| wave.as_ref().contains(&wanted))
        .unwrap_or(waves.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_type_has_its_wave_and_those_left_out_come_last() {
        use EnvironmentType::{Dev, Ephemeral, Prod, Staging};
        let rollout = |written| serde_json::from_value::<TemplateRollout>(written).unwrap();
        for (written, waves) in [
            (json!({}), [0, 0, 1, 2]),
            (
                json!({"waves": [["staging"], ["prod", "dev"]]}),
                [1, 2, 0, 1],
            ),
            (json!({"waves": [["dev"]]}), [0, 1, 1, 1]),
        ] {
            let rollout = rollout(written);
            assert_eq!(
                [Dev, Ephemeral, Staging, Prod].map(|kind| rollout.wave(kind)),
                waves
            );
        }
        assert_eq!(rollout(json!({})).parallel(), 5);
        assert_eq!(rollout(json!({"parallel": 2})).parallel(), 2);
    }
}
