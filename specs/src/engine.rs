//! Databases in one word: what `engine: postgres` stands for.
//!
//! Images, start commands and variable names are those of Railway's own database templates, so that whatever reads
//! `DATABASE_URL` or `REDIS_URL` on Railway today finds the same names here.

use crate::{
    service::{Engine, ServiceSource, ServiceSpec, Volume},
    setting::Setting,
    variable::{Generate, Variable},
};

/// Characters of a generated password: letters and digits only, so it needs no escaping inside a URL.
const PASSWORD_LENGTH: u16 = 32;

/// Name of the volume that a database gets.
const VOLUME: &str = "data";

/// What one engine is made of.
struct Recipe {
    image: &'static str,
    version: &'static str,
    mount_path: &'static str,
    start_command: Option<&'static str>,
    password: &'static str,
    variables: &'static [(&'static str, &'static str)],
    /// The address from outside, for a service with a TCP proxy.
    public: (&'static str, &'static str),
}

const POSTGRES: Recipe = Recipe {
    image: "ghcr.io/railwayapp-templates/postgres-ssl",
    version: "17",
    mount_path: "/var/lib/postgresql/data",
    start_command: None,
    password: "POSTGRES_PASSWORD",
    variables: &[
        (
            "DATABASE_URL",
            "postgresql://${{PGUSER}}:${{POSTGRES_PASSWORD}}@${{RAILWAY_PRIVATE_DOMAIN}}:5432/${{PGDATABASE}}",
        ),
        // A folder below the mount: the mount itself holds lost+found, and initdb refuses a folder that is not empty.
        ("PGDATA", "/var/lib/postgresql/data/pgdata"),
        ("PGDATABASE", "${{POSTGRES_DB}}"),
        ("PGHOST", "${{RAILWAY_PRIVATE_DOMAIN}}"),
        ("PGPASSWORD", "${{POSTGRES_PASSWORD}}"),
        ("PGPORT", "5432"),
        ("PGUSER", "${{POSTGRES_USER}}"),
        ("POSTGRES_DB", "railway"),
        ("POSTGRES_USER", "postgres"),
        ("SSL_CERT_DAYS", "820"),
    ],
    public: (
        "DATABASE_PUBLIC_URL",
        "postgresql://${{PGUSER}}:${{POSTGRES_PASSWORD}}@${{RAILWAY_TCP_PROXY_DOMAIN}}:${{RAILWAY_TCP_PROXY_PORT}}/${{PGDATABASE}}",
    ),
};

const MYSQL: Recipe = Recipe {
    image: "mysql",
    version: "9",
    mount_path: "/var/lib/mysql",
    start_command: Some(
        "docker-entrypoint.sh mysqld --innodb-use-native-aio=0 --disable-log-bin --performance_schema=0",
    ),
    password: "MYSQL_ROOT_PASSWORD",
    variables: &[
        ("MYSQLDATABASE", "${{MYSQL_DATABASE}}"),
        ("MYSQLHOST", "${{RAILWAY_PRIVATE_DOMAIN}}"),
        ("MYSQLPASSWORD", "${{MYSQL_ROOT_PASSWORD}}"),
        ("MYSQLPORT", "3306"),
        ("MYSQLUSER", "root"),
        ("MYSQL_DATABASE", "railway"),
        (
            "MYSQL_URL",
            "mysql://${{MYSQLUSER}}:${{MYSQL_ROOT_PASSWORD}}@${{RAILWAY_PRIVATE_DOMAIN}}:3306/${{MYSQL_DATABASE}}",
        ),
    ],
    public: (
        "MYSQL_PUBLIC_URL",
        "mysql://${{MYSQLUSER}}:${{MYSQL_ROOT_PASSWORD}}@${{RAILWAY_TCP_PROXY_DOMAIN}}:${{RAILWAY_TCP_PROXY_PORT}}/${{MYSQL_DATABASE}}",
    ),
};

const REDIS: Recipe = Recipe {
    image: "redis",
    version: "8.2",
    mount_path: "/data",
    start_command: Some(
        "/bin/sh -c \"rm -rf $RAILWAY_VOLUME_MOUNT_PATH/lost+found/ && exec docker-entrypoint.sh redis-server \
         --requirepass $REDIS_PASSWORD --save 60 1 --dir $RAILWAY_VOLUME_MOUNT_PATH\"",
    ),
    password: "REDIS_PASSWORD",
    variables: &[
        // The volume belongs to root.
        ("RAILWAY_RUN_UID", "0"),
        ("REDISHOST", "${{RAILWAY_PRIVATE_DOMAIN}}"),
        ("REDISPASSWORD", "${{REDIS_PASSWORD}}"),
        ("REDISPORT", "6379"),
        ("REDISUSER", "default"),
        (
            "REDIS_URL",
            "redis://${{REDISUSER}}:${{REDIS_PASSWORD}}@${{RAILWAY_PRIVATE_DOMAIN}}:6379",
        ),
    ],
    public: (
        "REDIS_PUBLIC_URL",
        "redis://${{REDISUSER}}:${{REDIS_PASSWORD}}@${{RAILWAY_TCP_PROXY_DOMAIN}}:${{RAILWAY_TCP_PROXY_PORT}}",
    ),
};

const MONGO: Recipe = Recipe {
    image: "mongo",
    version: "8",
    mount_path: "/data/db",
    // Railway's private network is IPv6; mongod listens on IPv4 only unless told otherwise.
    start_command: Some(
        "docker-entrypoint.sh mongod --ipv6 --bind_ip ::,0.0.0.0 --setParameter diagnosticDataCollectionEnabled=false",
    ),
    password: "MONGO_INITDB_ROOT_PASSWORD",
    variables: &[
        ("MONGOHOST", "${{RAILWAY_PRIVATE_DOMAIN}}"),
        ("MONGOPASSWORD", "${{MONGO_INITDB_ROOT_PASSWORD}}"),
        ("MONGOPORT", "27017"),
        ("MONGOUSER", "${{MONGO_INITDB_ROOT_USERNAME}}"),
        ("MONGO_INITDB_ROOT_USERNAME", "mongo"),
        (
            "MONGO_URL",
            "mongodb://${{MONGO_INITDB_ROOT_USERNAME}}:${{MONGO_INITDB_ROOT_PASSWORD}}@${{RAILWAY_PRIVATE_DOMAIN}}:27017",
        ),
    ],
    public: (
        "MONGO_PUBLIC_URL",
        "mongodb://${{MONGO_INITDB_ROOT_USERNAME}}:${{MONGO_INITDB_ROOT_PASSWORD}}@${{RAILWAY_TCP_PROXY_DOMAIN}}:${{RAILWAY_TCP_PROXY_PORT}}",
    ),
};

fn recipe(engine: Engine) -> &'static Recipe {
    match engine {
        Engine::Postgres => &POSTGRES,
        Engine::Mysql => &MYSQL,
        Engine::Redis => &REDIS,
        Engine::Mongo => &MONGO,
    }
}

/// Writes out what `engine` stands for. Whatever the user gave stays as given; a service without an engine is left alone.
///
/// `engine` itself stays, so that people still see a database; `version` goes, as its meaning is in the image.
pub fn expand(service: &mut ServiceSpec) {
    let Some(engine) = service.engine.value().copied() else {
        return;
    };
    let recipe = recipe(engine);

    let version = std::mem::take(&mut service.version).into_value();
    let source = service.source.get_or_insert_with(ServiceSource::default);
    if source.image.value().is_none() {
        let tag = version.as_deref().unwrap_or(recipe.version);
        source.image = Setting::Set(format!("{}:{tag}", recipe.image));
    }

    let proxied = service
        .tcp_proxies
        .value()
        .is_some_and(|ports| !ports.is_empty());
    let public = proxied.then_some(recipe.public);
    for (name, value) in recipe.variables.iter().copied().chain(public) {
        let entry = service.variables.entry(name.to_owned());
        entry.or_insert_with(|| Some(Variable::Plain(value.to_owned())));
    }
    let password = service.variables.entry(recipe.password.to_owned());
    password.or_insert_with(|| {
        Some(Variable::Generate(Generate {
            length: PASSWORD_LENGTH,
        }))
    });

    if !service.volumes.values().any(Option::is_some) {
        service
            .volumes
            .insert(VOLUME.to_owned(), Some(Volume::default()));
    }
    for volume in service.volumes.values_mut().flatten() {
        if volume.mount_path.value().is_none() {
            volume.mount_path = Setting::Set(recipe.mount_path.to_owned());
        }
    }

    if let Some(command) = recipe.start_command {
        let deploy = service.deploy.get_or_insert_default();
        if deploy.start_command.value().is_none() {
            deploy.start_command = Setting::Set(command.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use strum::IntoEnumIterator;

    use crate::{image::check_image, name::VariableName, reference::references};

    use super::*;

    fn expanded(service: serde_json::Value) -> ServiceSpec {
        let mut service: ServiceSpec = serde_json::from_value(service).unwrap();
        expand(&mut service);
        service
    }

    #[test]
    fn every_engine_comes_to_a_service_that_can_run() {
        for engine in Engine::iter() {
            let service = expanded(json!({"engine": engine.to_string(), "tcpProxies": [5432]}));
            let image = service.source.unwrap().image.into_value().unwrap();
            assert_eq!(check_image(&image), Ok(()), "{engine}");
            assert_eq!(service.volumes.len(), 1, "{engine}");
            let generated = service
                .variables
                .values()
                .flatten()
                .filter(|v| matches!(v, Variable::Generate(_)));
            assert_eq!(generated.count(), 1, "{engine}: one password");
            for (name, value) in &service.variables {
                assert!(name.parse::<VariableName>().is_ok(), "{name}");
                if let Some(Variable::Plain(text)) = value {
                    assert!(references(text).iter().all(Result::is_ok), "{name}");
                }
            }
            assert!(
                service
                    .variables
                    .keys()
                    .any(|name| name.ends_with("_PUBLIC_URL")),
                "{engine}"
            );
        }
    }

    #[test]
    fn what_the_user_gave_wins() {
        let service = expanded(json!({
            "engine": "postgres",
            "version": "16",
            "variables": {"POSTGRES_DB": "shop", "POSTGRES_PASSWORD": {"secretRef": {"name": "db", "key": "password"}}},
            "volumes": {"disk": {"size": "5Gi"}},
        }));
        assert_eq!(
            service.source.as_ref().unwrap().image,
            Setting::Set("ghcr.io/railwayapp-templates/postgres-ssl:16".into())
        );
        assert_eq!(
            service.variables["POSTGRES_DB"],
            Some(Variable::Plain("shop".into()))
        );
        assert!(matches!(
            service.variables["POSTGRES_PASSWORD"],
            Some(Variable::SecretRef(_))
        ));
        let disk = service.volumes["disk"].as_ref().unwrap();
        assert_eq!(disk.size, Setting::Set("5Gi".into()));
        assert_eq!(
            disk.mount_path,
            Setting::Set("/var/lib/postgresql/data".into())
        );
        assert!(
            !service.variables.contains_key("DATABASE_PUBLIC_URL"),
            "not reachable from outside"
        );
    }

    #[test]
    fn expanding_twice_changes_nothing() {
        for engine in Engine::iter() {
            let once = expanded(json!({"engine": engine.to_string(), "version": "1"}));
            let mut twice = once.clone();
            expand(&mut twice);
            assert_eq!(once, twice);
        }
    }
}
