//! Domains and TCP proxies. Networking is changed at once; nothing is staged.

use graphql_client::GraphQLQuery;
use serde_json::Value;

use crate::{
    client::{Client, call::read, facts::port},
    error::Error,
    id::{DomainId, EnvironmentId, ProjectId, ServiceId, TcpProxyId},
    operations::{
        CustomDomainCreate, CustomDomainDelete, Kind, ServiceDomainCreate, ServiceDomainDelete,
        TcpProxies, TcpProxyDelete, custom_domain_create, custom_domain_delete,
        service_domain_create, service_domain_delete, tcp_proxies, tcp_proxy_delete,
    },
    snapshot::DomainSnapshot,
};

/// An own domain with what its owner must enter in DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomDomain {
    /// The domain.
    pub domain: DomainSnapshot,
    /// Whether Railway has seen the records.
    pub is_verified: bool,
    /// The records to enter.
    pub records: Vec<DnsRecord>,
}

/// A DNS record to enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// The name within the zone.
    pub host: String,
    /// The record's type as DNS names it, for example `CNAME`.
    pub record_type: String,
    /// What it must say.
    pub value: String,
    /// The zone.
    pub zone: String,
}

/// A TCP proxy with its public address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpProxy {
    /// Railway's id.
    pub id: TcpProxyId,
    /// Public host.
    pub domain: String,
    /// Public port.
    pub proxy_port: u16,
    /// The application's port.
    pub application_port: u16,
}

impl Client {
    /// Has Railway generate a domain. Each call makes another: look before.
    ///
    /// # Errors
    /// [`Error::NotYet`] while the instance is not ready for one; look again before repeating.
    pub async fn create_service_domain(
        &self,
        environment: &EnvironmentId,
        service: &ServiceId,
        target_port: Option<u16>,
    ) -> Result<DomainSnapshot, Error> {
        let variables = service_domain_create::Variables {
            input: service_domain_create::ServiceDomainCreateInput {
                environment_id: environment.to_string(),
                service_id: service.to_string(),
                target_port: target_port.map(i64::from),
            },
        };
        let made = self
            .call::<ServiceDomainCreate>(variables)
            .await?
            .service_domain_create;
        Ok(DomainSnapshot {
            id: DomainId::new(made.id),
            domain: made.domain,
            target_port: made.target_port.and_then(port),
        })
    }

    /// Registers an own domain.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another service has it.
    pub async fn create_custom_domain(
        &self,
        project: &ProjectId,
        environment: &EnvironmentId,
        service: &ServiceId,
        domain: &str,
        target_port: Option<u16>,
    ) -> Result<CustomDomain, Error> {
        let variables = custom_domain_create::Variables {
            input: custom_domain_create::CustomDomainCreateInput {
                domain: domain.to_owned(),
                environment_id: environment.to_string(),
                project_id: project.to_string(),
                service_id: service.to_string(),
                target_port: target_port.map(i64::from),
            },
        };
        let made = self
            .call::<CustomDomainCreate>(variables)
            .await?
            .custom_domain_create;
        Ok(CustomDomain {
            domain: DomainSnapshot {
                id: DomainId::new(made.id),
                domain: made.domain,
                target_port: made.target_port.and_then(port),
            },
            is_verified: made.status.verified,
            records: made
                .status
                .dns_records
                .into_iter()
                .map(|record| DnsRecord {
                    host: record.hostlabel,
                    record_type: super::facts::name_of(&record.record_type)
                        .trim_start_matches("DNS_RECORD_TYPE_")
                        .to_owned(),
                    value: record.required_value,
                    zone: record.zone,
                })
                .collect(),
        })
    }

    /// Deletes a generated domain.
    ///
    /// # Errors
    /// [`Error::NotYet`] while Railway is busy with it.
    pub async fn delete_service_domain(&self, id: &DomainId) -> Result<(), Error> {
        let variables = service_domain_delete::Variables { id: id.to_string() };
        self.call::<ServiceDomainDelete>(variables)
            .await
            .map(|_| ())
    }

    /// Deletes an own domain.
    ///
    /// # Errors
    /// [`Error::NotYet`] while Railway is busy with it.
    pub async fn delete_custom_domain(&self, id: &DomainId) -> Result<(), Error> {
        let variables = custom_domain_delete::Variables { id: id.to_string() };
        self.call::<CustomDomainDelete>(variables).await.map(|_| ())
    }

    /// A service's TCP proxies. They are made by a patch; this tells their public addresses.
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn tcp_proxies(
        &self,
        environment: &EnvironmentId,
        service: &ServiceId,
    ) -> Result<Vec<TcpProxy>, Error> {
        let variables = tcp_proxies::Variables {
            environment_id: environment.to_string(),
            service_id: service.to_string(),
        };
        let data = self
            .call_untyped(TcpProxies::build_query(variables), &[])
            .await?;
        // Null where the schema promises a list (observed): there are none.
        if data.get("tcpProxies").is_some_and(Value::is_null) {
            return Ok(Vec::new());
        }
        let proxies =
            read::<tcp_proxies::ResponseData>("TcpProxies", Kind::Query, data)?.tcp_proxies;
        Ok(proxies
            .into_iter()
            .filter(|proxy| proxy.deleted_at.is_none())
            .filter_map(|proxy| {
                Some(TcpProxy {
                    id: TcpProxyId::new(proxy.id),
                    domain: proxy.domain,
                    proxy_port: port(proxy.proxy_port)?,
                    application_port: port(proxy.application_port)?,
                })
            })
            .collect())
    }

    /// Deletes a TCP proxy.
    ///
    /// # Errors
    /// [`Error::NotYet`] while another change to the network is in progress.
    pub async fn delete_tcp_proxy(&self, id: &TcpProxyId) -> Result<(), Error> {
        let variables = tcp_proxy_delete::Variables { id: id.to_string() };
        self.call::<TcpProxyDelete>(variables).await.map(|_| ())
    }
}
