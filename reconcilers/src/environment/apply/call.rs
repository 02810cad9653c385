//! Actions that are a call of their own.

use mirage_railway::{
    change::EnvironmentChange,
    error::{Class, Error},
    snapshot::MARK,
};
use mirage_specs::{
    ledger::{LedgerKind, LedgerState},
    plan::PlanReason,
};

use super::{Applier, Place, Stop};
use crate::environment::{
    applied::GENERATED_DOMAIN,
    condition::whole_seconds,
    diff::restart_mark,
    field::Field,
    ledger,
    plan::{Action, Entry},
    restarts,
    rollout::begin::{asks, begin, not_begun, refused},
};

impl<'a> Applier<'a> {
    pub(super) async fn call(&mut self, entry: &Entry, place: &Place<'a>) -> Result<(), Stop> {
        let (Some(project), Some(environment)) = (&place.project, &place.environment) else {
            return Ok(());
        };
        let client = &self.account.client;
        match &entry.action {
            Action::CreateDomain {
                service,
                name,
                port,
            } => {
                let Some(instance) = place
                    .observed
                    .and_then(|environment| environment.instance_named(service))
                else {
                    return Ok(());
                };
                let ledger_name = name.clone().unwrap_or_else(|| service.clone());
                let now = self.now;
                self.journal
                    .write(|status| {
                        ledger::intend(&mut status.ledger, LedgerKind::Domain, &ledger_name, now)
                    })
                    .await?;
                let made = match name {
                    None => {
                        client
                            .create_service_domain(environment, &instance.service_id, *port)
                            .await
                    }
                    Some(name) => {
                        let made = client.create_custom_domain(
                            project,
                            environment,
                            &instance.service_id,
                            name,
                            *port,
                        );
                        made.await.map(|custom| custom.domain)
                    }
                };
                match made {
                    Ok(domain) => {
                        let recorded = name.clone().unwrap_or_else(|| GENERATED_DOMAIN.to_owned());
                        self.journal
                            .write(|status| {
                                ledger::made(
                                    &mut status.ledger,
                                    LedgerKind::Domain,
                                    &ledger_name,
                                    domain.id.as_str(),
                                    now,
                                );
                                let applied = status.applied.get_or_insert_default();
                                let domains = &mut applied
                                    .services
                                    .entry(service.clone())
                                    .or_default()
                                    .domains;
                                if !domains.contains(&recorded) {
                                    domains.push(recorded);
                                }
                            })
                            .await?;
                    }
                    Err(error) => {
                        return self
                            .refused(error, &[(LedgerKind::Domain, ledger_name)])
                            .await;
                    }
                }
            }
            Action::DeleteDomain {
                service,
                id,
                custom,
                domain,
            } => {
                if *custom {
                    client.delete_custom_domain(id).await?;
                } else {
                    client.delete_service_domain(id).await?;
                }
                let recorded = if *custom {
                    domain.as_str()
                } else {
                    GENERATED_DOMAIN
                };
                self.journal
                    .write(|status| {
                        // Railway said so; a look that no longer shows it will confirm it.
                        let entries = status.ledger.iter_mut();
                        for entry in entries.filter(|entry| {
                            entry.kind == LedgerKind::Domain
                                && entry.railway_id.as_deref() == Some(id.as_str())
                        }) {
                            entry.state = LedgerState::Removing;
                        }
                        if let Some(service) = status
                            .applied
                            .as_mut()
                            .and_then(|applied| applied.services.get_mut(service))
                        {
                            service.domains.retain(|domain| domain != recorded);
                        }
                    })
                    .await?;
            }
            Action::Deploy { service, id } => {
                // Without a commit Railway takes the branch's latest, which is another one by now.
                let desired = self.effective.services.get(service);
                let commit = desired
                    .and_then(|desired| desired.settings.get(&Field::Commit))
                    .and_then(|commit| commit.as_str());
                let sending = self.sending(place, true);
                let is_back = entry.reason == PlanReason::RolledBack;
                self.journal
                    .write(|status| {
                        if is_back {
                            asks(&mut status.rollout, service, sending);
                        } else {
                            let services = [service.clone()];
                            status.rollout = begin(status.rollout.take(), &services, sending);
                        }
                    })
                    .await?;
                if let Err(error) = client.deploy(id, environment, commit).await {
                    return self.not_sent(service, is_back, error).await;
                }
            }
            Action::Stop { deployment, .. } => client.remove(deployment).await?,
            Action::Cancel { deployment, .. } => client.cancel(deployment).await?,
            Action::Rollback {
                service,
                deployment,
            } => {
                let sending = self.sending(place, true);
                self.journal
                    .write(|status| asks(&mut status.rollout, service, sending))
                    .await?;
                if let Err(error) = client.rollback(deployment).await {
                    return self.not_sent(service, true, error).await;
                }
            }
            Action::Restart {
                service,
                deployment,
            } => {
                let latest = place
                    .observed
                    .and_then(|environment| environment.instance_named(service))
                    .and_then(|instance| instance.latest_deployment.as_ref());
                let (Some(latest), Some(asked)) = (latest, self.restart) else {
                    return Ok(());
                };
                let (before, at) = (restart_mark(latest), whole_seconds(self.now));
                self.journal
                    .write(|status| {
                        restarts::begin(&mut status.restart, asked, service, before, at)
                    })
                    .await?;
                match client.restart(deployment).await {
                    Ok(()) => {
                        self.journal
                            .write(|status| restarts::done(&mut status.restart, service))
                            .await?;
                    }
                    Err(error) => {
                        if error.class() != Class::Ambiguous {
                            self.journal
                                .write(|status| restarts::strike(&mut status.restart, service))
                                .await?;
                        }
                        return Err(error.into());
                    }
                }
            }
            Action::DeleteEnvironment { id, .. } => {
                self.journal
                    .write(|status| {
                        let entries = status.ledger.iter_mut();
                        for entry in entries.filter(|entry| entry.kind == LedgerKind::Environment) {
                            entry.state = LedgerState::Removing;
                            entry.railway_id = Some(id.to_string());
                        }
                    })
                    .await?;
                client.delete_environment(id).await?;
            }
            Action::Unmark { .. } => {
                let mut change = EnvironmentChange {
                    project: Some(project.clone()),
                    environment: Some(environment.clone()),
                    message: "Mirage: let the environment go".to_owned(),
                    ..EnvironmentChange::default()
                };
                change.shared_variables.insert(MARK.to_owned(), None);
                client
                    .apply(&change)
                    .await
                    .map_err(|failure| failure.error)?;
            }
            // Everything else goes by commit; `order` never makes a call of it.
            _ => return Ok(()),
        }
        self.account.observer.wrote(project);
        Ok(())
    }

    /// A deployment that was asked for did not come about, or nobody knows.
    async fn not_sent(&mut self, service: &str, is_back: bool, error: Error) -> Result<(), Stop> {
        let (class, words) = (error.class(), error.failure().message.clone());
        self.journal
            .write(|status| {
                if is_back {
                    refused(&mut status.rollout, service, class, &words);
                } else if class != Class::Ambiguous {
                    not_begun(&mut status.rollout, service);
                }
            })
            .await?;
        Err(error.into())
    }
}
