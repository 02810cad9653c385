use serde_json::json;

use super::{read, write};
use crate::{
    environment::{Environment, EnvironmentSpec},
    merge, validate,
};

const FILE: &str = r#"version: "3.9"
services:
  web:
    build:
      context: ./apps/web
      target: production
    ports: ["8080:3000"]
    environment:
      DATABASE_URL: postgres://app:secret@db:5432/app
      API_KEY: ${API_KEY}
      LEVEL: ${LEVEL:-info}
      PRICE: 5$$
    depends_on:
      db:
        condition: service_healthy
    deploy:
      replicas: 2
      resources: {limits: {cpus: "0.5", memory: 512M}}
    restart: unless-stopped
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:3000/health"]
    cap_add: [NET_ADMIN]
  db:
    image: postgres:17
    command: ["postgres", "-c", "max_connections=200"]
    volumes:
      - data:/var/lib/postgresql/data
      - ./init.sql:/docker-entrypoint-initdb.d/init.sql
    environment:
      - POSTGRES_PASSWORD=secret
    ports:
      - "5432:5432"
    restart: on-failure:3
volumes:
  data:
configs:
  a: {file: ./a}
"#;

#[test]
fn a_compose_file_becomes_an_environment_and_says_what_it_cannot() {
    let found = read(FILE, "shop", Some("acme/shop")).unwrap();
    assert_eq!(
        found.manifest["spec"],
        json!({
            "project": {"name": "shop"},
            "source": {"repo": "acme/shop"},
            "services": {
                "web": {
                    "source": {"rootDirectory": "/apps/web"},
                    "build": {"builder": "dockerfile"},
                    "domains": [{"port": 3000}],
                    "dependsOn": ["db"],
                    "variables": {
                        "DATABASE_URL": "postgres://app:secret@${{db.RAILWAY_PRIVATE_DOMAIN}}:5432/app",
                        "API_KEY": {"preserve": true},
                        "LEVEL": "info",
                        "PRICE": "5$",
                    },
                    "deploy": {
                        "replicas": 2,
                        "limits": {"cpu": 0.5, "memory": "512Mi"},
                        "restart": {"policy": "always"},
                        "healthcheck": {"path": "/health"},
                    },
                },
                "db": {
                    "source": {"image": "postgres:17"},
                    "deploy": {
                        "startCommand": "postgres -c max_connections=200",
                        "restart": {"policy": "onFailure", "maxRetries": 3},
                    },
                    "volumes": {"data": {"mountPath": "/var/lib/postgresql/data"}},
                    "variables": {"POSTGRES_PASSWORD": "secret"},
                    "tcpProxies": [5432],
                },
            },
        })
    );
    assert_eq!(validate::environment(&found.manifest), []);
    let told: Vec<String> = found.remarks.iter().map(ToString::to_string).collect();
    for part in [
        "line 6: services.web.build.target: has no equivalent",
        "line 10: services.web.environment.API_KEY: API_KEY comes from outside",
        "line 22: services.web.cap_add: has no equivalent",
        "./init.sql: a folder of this machine",
        "line 36: configs: has no equivalent",
    ] {
        assert!(
            told.iter().any(|line| line.contains(part)),
            "{part}: {told:#?}"
        );
    }
}

#[test]
fn what_is_no_compose_file_is_refused_with_its_line() {
    let error = read("services:\n  web: [", "a", None).unwrap_err();
    assert!(error.to_string().starts_with("line "), "{error}");
    for text in ["{}", "services: {}", "a: 1\n---\nb: 2"] {
        assert!(read(text, "a", None).is_err(), "{text}");
    }
}

fn effective(spec: serde_json::Value) -> EnvironmentSpec {
    let spec: EnvironmentSpec = serde_json::from_value(spec).unwrap();
    merge::effective(None, &spec).unwrap()
}

#[test]
fn an_environment_becomes_a_compose_file_that_keeps_no_secret() {
    let spec = effective(json!({
        "project": {"name": "shop"},
        "ttl": "7d",
        "variables": {"LEVEL": "info"},
        "services": {
            "web": {
                "source": {"repo": "acme/shop", "branch": "main", "rootDirectory": "/web"},
                "variables": {
                    "LEVEL": "${{shared.LEVEL}}",
                    "DATABASE_URL": "postgres://app:${{db.PASSWORD}}@${{db.RAILWAY_PRIVATE_DOMAIN}}:5432",
                    "API": "http://${{api.RAILWAY_PRIVATE_DOMAIN}}:8080",
                    "KEY": {"secretRef": {"name": "keys", "key": "api"}},
                    "COST": "5$",
                },
                "domains": [{"port": 3000}, {"name": "shop.example.com"}],
                "deploy": {"healthcheck": {"path": "/"}, "limits": {"cpu": 0.5, "memory": "512Mi"}, "restart": {"policy": "never"}},
            },
            "api": {"source": {"image": "acme/api:1"}, "deploy": {"replicas": 2, "startCommand": "serve"}},
            "db": {
                "source": {"image": "postgres:17"},
                "variables": {"PASSWORD": {"generate": {"length": 32}}},
                "volumes": {"data": {"mountPath": "/data", "size": "5Gi"}},
                "tcpProxies": [5432],
            },
        },
    }));
    insta::assert_snapshot!(write("shop", &spec).unwrap().text);
}

/// What Compose can say comes back as it was.
#[test]
fn a_compose_export_reads_back_as_what_it_was() {
    let services = json!({
        "api": {
            "source": {"image": "acme/api:1"},
            "deploy": {
                "replicas": 2, "startCommand": "serve --all 'a b'", "draining": "30s",
                "restart": {"policy": "onFailure", "maxRetries": 4},
                "limits": {"cpu": 0.5, "memory": "512Mi"},
            },
            "variables": {
                "DB": "postgres://${{db.RAILWAY_PRIVATE_DOMAIN}}:5432/x", "PLAIN": "5$ ${x}", "COUNT": "3",
            },
            "domains": [{"port": 8080}],
            "dependsOn": ["db"],
        },
        "db": {
            "source": {"image": "postgres:17"},
            "variables": {"PASSWORD": {"preserve": true}},
            "volumes": {"files": {"mountPath": "/data"}},
            "tcpProxies": [5432],
        },
        "web": {
            "source": {"repo": "acme/web", "branch": "main", "rootDirectory": "/web"},
            "build": {"builder": "dockerfile", "dockerfile": "Dockerfile.web"},
        },
    });
    let spec = effective(json!({"project": {"name": "shop"}, "services": services}));
    let text = write("shop", &spec).unwrap().text;
    let back = read(&text, "shop", None).unwrap();
    assert_eq!(back.manifest["spec"]["services"], services, "{text}");
    let object: Environment = serde_json::from_value(back.manifest).unwrap();
    assert_eq!(object.spec.services, spec.services);
}
