//! The settings in force, written in the shape of the file. Secrets are redacted.

use std::time::Duration;

use constellation_actors::placement::{key_rules::KeyRule, pattern::Pattern};

use super::{
    OnDisconnect, Settings, StoreKind, Strategy,
    file::{self, File},
    hostname::Hostname,
    secret::{REDACTED, Secret},
};

/// The settings as indented JSON that ends with a line feed.
pub(crate) fn show(settings: &Settings) -> String {
    let mut text = serde_json::to_string_pretty(&file(settings)).expect("texts are always JSON");
    text.push('\n');
    text
}

fn file(settings: &Settings) -> File {
    let Settings {
        heartbeat,
        proxy,
        admin,
        placement,
        store,
        logging,
        ..
    } = settings;
    File {
        webserver: webserver(&settings.webserver),
        websocket: websocket(&settings.websocket),
        heartbeat: file::Heartbeat {
            interval_ms: milliseconds(heartbeat.interval),
            max_failures: heartbeat.failures_max.get(),
        },
        proxy: file::Proxy {
            timeout_ms: milliseconds(proxy.timeout),
            max_body_bytes: proxy.body_bytes_max,
            body_idle_ms: proxy.body_idle.map(milliseconds),
            body_total_ms: proxy.body_total.map(milliseconds),
            max_exchanges_per_worker: proxy.exchanges_per_worker_max,
            max_tunnels_per_worker: proxy.tunnels_per_worker_max,
            tunnel_idle_ms: proxy.tunnel_idle.map(milliseconds),
            tunnel_lifetime_ms: proxy.tunnel_lifetime.map(milliseconds),
        },
        routes: settings.routes.iter().map(route).collect(),
        admin: file::Admin {
            hostname: admin.hostname.to_string(),
            port: admin.port,
            api_key_header: admin.key_header.clone(),
            api_keys: redacted(&admin.keys),
        },
        placement: self::placement(placement),
        ownership: ownership(&settings.ownership),
        store: file::Store {
            kind: match store.kind {
                StoreKind::Sqlite => file::StoreKind::Sqlite,
                StoreKind::Memory => file::StoreKind::Memory,
            },
            file: store.file.display().to_string(),
        },
        logging: file::Logging {
            log_directory: logging.directory.display().to_string(),
            log_filename: logging
                .filename
                .as_ref()
                .map(|name| name.display().to_string()),
            console_logging: logging.console,
            enable_colors: logging.colors,
            minimum_severity: logging.severity.get(),
        },
    }
}

fn webserver(webserver: &super::Webserver) -> file::Webserver {
    file::Webserver {
        hostname: webserver.hostname.to_string(),
        port: webserver.port,
        threads: Some(webserver.threads.get()),
        ssl: file::Ssl { enable: false },
        headers: file::Headers {
            default_headers: webserver.default_headers.iter().cloned().collect(),
        },
    }
}

fn websocket(websocket: &super::Websocket) -> file::Websocket {
    file::Websocket {
        hostnames: websocket
            .hostnames
            .iter()
            .map(Hostname::to_string)
            .collect(),
        port: websocket.port,
        ssl: false,
        tokens: redacted(&websocket.tokens),
        max_body_bytes: websocket.body_bytes_max,
    }
}

fn route(rule: &KeyRule) -> file::Route {
    file::Route {
        pattern: rule.pattern().to_owned(),
        key: rule.key().to_owned(),
    }
}

fn placement(placement: &super::Placement) -> file::Placement {
    file::Placement {
        strategy: match placement.strategy {
            Strategy::RoundRobin => file::Strategy::RoundRobin,
            Strategy::LeastPinned => file::Strategy::LeastPinned,
        },
        waiting_per_key_max: placement.waiting_per_key_max,
        waiting_max: placement.waiting_max,
        keys_max: placement.keys_max,
        idle_seconds: placement.idle.map(|idle| idle.as_secs()),
        idle_never: placement
            .idle_never
            .iter()
            .map(Pattern::to_string)
            .collect(),
        drain_parallel: placement.drain_parallel,
        handover_ms: milliseconds(placement.handover),
        rebalance: if placement.rebalance {
            file::Rebalance::On
        } else {
            file::Rebalance::Off
        },
        rebalance_interval_seconds: placement.rebalance_interval.as_secs(),
        rebalance_budget: placement.rebalance_budget,
        rebalance_min_gain: placement.rebalance_gain_min,
        rebalance_cooldown_seconds: placement.rebalance_cooldown.as_secs(),
    }
}

fn ownership(ownership: &super::Ownership) -> file::Ownership {
    file::Ownership {
        on_disconnect: match ownership.on_disconnect {
            OnDisconnect::WaitForLease => file::OnDisconnect::WaitForLease,
            OnDisconnect::Reassign => file::OnDisconnect::Reassign,
        },
        startup_grace_ms: ownership.startup_grace.map(milliseconds),
    }
}

fn redacted(secrets: &[Secret]) -> Vec<String> {
    secrets.iter().map(|_| REDACTED.to_owned()).collect()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
