//! Services that left the spec. Only what Mirage applied before is removed; what others made stays.

use mirage_railway::snapshot::EnvironmentSnapshot;
use mirage_specs::plan::PlanReason;

use super::Draft;
use crate::environment::plan::Action;

impl<'a> Draft<'a> {
    pub(super) fn removed_services(&mut self, environment: &'a EnvironmentSnapshot) {
        let memory = self.memory;
        let gone = memory
            .applied
            .services
            .keys()
            .filter(|name| !self.effective.services.contains_key(*name));
        for name in gone.cloned().collect::<Vec<_>>() {
            let Some(instance) = environment.instance_named(&name) else {
                continue;
            };
            let volumes = environment
                .volumes
                .values()
                .filter(|volume| volume.service_id.as_ref() == Some(&instance.service_id))
                .map(|volume| volume.volume_id.clone())
                .collect();
            let action = Action::DeleteService {
                service: name,
                id: instance.service_id.clone(),
                volumes,
            };
            self.push(action, PlanReason::NoLongerDeclared);
        }
    }
}
