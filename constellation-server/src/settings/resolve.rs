//! From what was typed to what is in force: units, newtypes, and how settings fit each other.
//!
//! Single values are in range when they come here; the schema has seen to that.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    slice,
    time::Duration,
};

use constellation_actors::placement::{key_rules::KeyRules, pattern::Pattern};

use super::{
    Admin, Heartbeat, Logging, OnDisconnect, Ownership, Placement, Proxy, Settings, Severity,
    Store, StoreKind, Strategy, Webserver, Websocket,
    collect::Collected,
    fault::{Fault, Problem, Source},
    file::{self, File},
    form::{TOKEN_CHARACTERS_MIN, is_framing},
    hostname::Hostname,
    secret::Secret,
    warning::Warning,
};

/// The key that the original wrote into every new settings file.
const ORIGINAL_KEY: &str = "constellationadmin";
/// Headers that the server itself puts into every response, beside those that frame it.
const SERVER_HEADERS: [&str; 3] = ["date", "x-request", "x-worker"];

/// Resolves what was collected, on a machine with that many processor cores.
///
/// # Errors
///
/// Every fault: those collected before, and the settings that do not fit each other. The latter
/// are blamed on the source that gave them last, or on `fallback`.
pub(crate) fn resolve(
    collected: &Collected,
    fallback: &Source,
    cores: NonZeroUsize,
) -> Result<Settings, Vec<Fault>> {
    let document = serde_json::to_value(collected.document()).expect("a tree of texts is JSON");
    let file: File = serde_json::from_value(document)
        .expect("the schema admits only what the types take; a test compares them");
    let mut warnings = collected.warnings.clone();
    let settings = Settings {
        webserver: webserver(file.webserver, cores, &mut warnings),
        websocket: websocket(file.websocket),
        heartbeat: heartbeat(&file.heartbeat),
        proxy: proxy(&file.proxy),
        routes: routes(&file.routes),
        admin: admin(file.admin),
        placement: placement(file.placement),
        ownership: ownership(&file.ownership),
        store: store(file.store),
        logging: logging(file.logging),
        warnings: Vec::new(),
    };
    let mut faults = collected.faults.clone();
    faults.extend(
        conflicts(&settings)
            .into_iter()
            .map(|(member, problem)| Fault {
                at: collected.source_of(member).unwrap_or(fallback).clone(),
                member: member.to_owned(),
                problem: Problem::Conflict(problem),
            }),
    );
    if !faults.is_empty() {
        return Err(faults);
    }
    warnings.extend(open_to_workers(&settings.websocket));
    warnings.extend(exposed_to_operators(&settings.admin));
    warnings.extend(weak_keys(
        &settings.admin,
        collected.source_of("Admin.ApiKeys"),
    ));
    Ok(Settings {
        warnings,
        ..settings
    })
}

fn webserver(file: file::Webserver, cores: NonZeroUsize, warnings: &mut Vec<Warning>) -> Webserver {
    let is_sent = |name: &str| {
        let by_server = SERVER_HEADERS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name));
        !is_framing(name) && !by_server
    };
    let (sent, unsent): (Vec<_>, Vec<_>) = file
        .headers
        .default_headers
        .into_iter()
        .partition(|(name, _)| is_sent(name));
    warnings.extend(
        unsent
            .into_iter()
            .map(|(name, _)| Warning::HeaderNotSent { name }),
    );
    Webserver {
        hostname: hostname(&file.hostname),
        port: file.port,
        threads: file.threads.and_then(NonZeroUsize::new).unwrap_or(cores),
        default_headers: sent
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect(),
    }
}

fn websocket(file: file::Websocket) -> Websocket {
    Websocket {
        hostnames: file.hostnames.iter().map(|text| hostname(text)).collect(),
        port: file.port,
        tokens: file.tokens.into_iter().map(Secret::new).collect(),
        body_bytes_max: file.max_body_bytes,
    }
}

fn heartbeat(file: &file::Heartbeat) -> Heartbeat {
    Heartbeat {
        interval: Duration::from_millis(file.interval_ms),
        failures_max: NonZeroU32::new(file.max_failures).expect("the schema begins at 1"),
    }
}

fn proxy(file: &file::Proxy) -> Proxy {
    Proxy {
        timeout: Duration::from_millis(file.timeout_ms),
        body_bytes_max: file.max_body_bytes,
        body_idle: file.body_idle_ms.map(Duration::from_millis),
        body_total: file.body_total_ms.map(Duration::from_millis),
        exchanges_per_worker_max: file.max_exchanges_per_worker,
        tunnels_per_worker_max: file.max_tunnels_per_worker,
        tunnel_idle: file.tunnel_idle_ms.map(Duration::from_millis),
        tunnel_lifetime: file.tunnel_lifetime_ms.map(Duration::from_millis),
    }
}

fn routes(file: &[file::Route]) -> KeyRules {
    let rules = file.iter().map(|route| (&route.pattern, &route.key));
    KeyRules::parse(rules).expect("the schema admits rules only that the library takes")
}

fn admin(file: file::Admin) -> Admin {
    Admin {
        hostname: hostname(&file.hostname),
        port: file.port,
        key_header: file.api_key_header.to_ascii_lowercase(),
        keys: file.api_keys.into_iter().map(Secret::new).collect(),
    }
}

fn placement(file: file::Placement) -> Placement {
    Placement {
        strategy: match file.strategy {
            file::Strategy::RoundRobin => Strategy::RoundRobin,
            file::Strategy::LeastPinned => Strategy::LeastPinned,
        },
        waiting_per_key_max: file.waiting_per_key_max,
        waiting_max: file.waiting_max,
        keys_max: file.keys_max,
        idle: file.idle_seconds.map(Duration::from_secs),
        idle_never: file.idle_never.iter().map(|text| pattern(text)).collect(),
        drain_parallel: file.drain_parallel,
        handover: Duration::from_millis(file.handover_ms),
        rebalance: match file.rebalance {
            file::Rebalance::Off => false,
            file::Rebalance::On => true,
        },
        rebalance_interval: Duration::from_secs(file.rebalance_interval_seconds),
        rebalance_budget: file.rebalance_budget,
        rebalance_gain_min: file.rebalance_min_gain,
        rebalance_cooldown: Duration::from_secs(file.rebalance_cooldown_seconds),
    }
}

fn ownership(file: &file::Ownership) -> Ownership {
    Ownership {
        on_disconnect: match file.on_disconnect {
            file::OnDisconnect::WaitForLease => OnDisconnect::WaitForLease,
            file::OnDisconnect::Reassign => OnDisconnect::Reassign,
        },
        startup_grace: file.startup_grace_ms.map(Duration::from_millis),
    }
}

fn store(file: file::Store) -> Store {
    Store {
        kind: match file.kind {
            file::StoreKind::Sqlite => StoreKind::Sqlite,
            file::StoreKind::Memory => StoreKind::Memory,
        },
        file: PathBuf::from(file.file),
    }
}

fn logging(file: file::Logging) -> Logging {
    Logging {
        directory: PathBuf::from(file.log_directory),
        filename: file.log_filename.map(PathBuf::from),
        console: file.console_logging,
        colors: file.enable_colors,
        severity: Severity::new(file.minimum_severity),
    }
}

fn hostname(text: &str) -> Hostname {
    Hostname::parse(text).expect("the schema admits hostnames only")
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).expect("the schema admits patterns only")
}

/// The settings that do not fit each other, each with the member to change.
fn conflicts(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings {
        webserver,
        websocket,
        placement,
        ..
    } = settings;
    let mut conflicts = Vec::new();
    let same_port = webserver.port == websocket.port && webserver.port != 0;
    let met = websocket
        .hostnames
        .iter()
        .find(|hostname| hostname.overlaps(&webserver.hostname));
    if let (true, Some(hostname)) = (same_port, met) {
        conflicts.push((
            "Websocket.Port",
            format!(
                "is {}, which is also Webserver.Port, and the hostnames {hostname} and {} overlap; \
                 use two ports",
                websocket.port, webserver.hostname
            ),
        ));
    }
    conflicts.extend(admin_port_taken(settings));
    for (at, hostname) in websocket.hostnames.iter().enumerate() {
        if let Some(other) = websocket.hostnames[..at]
            .iter()
            .find(|it| it.overlaps(hostname))
        {
            conflicts.push((
                "Websocket.Hostnames",
                format!("lists {hostname}, which {other} covers already"),
            ));
        }
    }
    if placement.waiting_per_key_max > placement.waiting_max {
        conflicts.push((
            "Placement.WaitingPerKeyMax",
            format!(
                "is {}, more than Placement.WaitingMax, which is {}",
                placement.waiting_per_key_max, placement.waiting_max
            ),
        ));
    }
    conflicts
}

/// A port for operators that is another's too.
fn admin_port_taken(settings: &Settings) -> Option<(&'static str, String)> {
    let Settings {
        webserver,
        websocket,
        admin,
        ..
    } = settings;
    let port = admin.port.filter(|port| *port != 0)?;
    let clients = slice::from_ref(&webserver.hostname);
    let others = [
        ("Webserver.Port", webserver.port, clients),
        ("Websocket.Port", websocket.port, &websocket.hostnames[..]),
    ];
    others.into_iter().find_map(|(member, other, hostnames)| {
        let met = hostnames.iter().find(|it| it.overlaps(&admin.hostname))?;
        let problem = format!(
            "is {port}, which is also {member}, and the hostnames {met} and {} overlap; use \
             another, or null for no admin port",
            admin.hostname
        );
        (other == port).then_some(("Admin.Port", problem))
    })
}

fn exposed_to_operators(admin: &Admin) -> Option<Warning> {
    let exposed = admin.port.is_some() && !admin.hostname.is_loopback();
    exposed.then(|| Warning::AdminBeyondLoopback {
        hostname: admin.hostname.clone(),
    })
}

fn open_to_workers(websocket: &Websocket) -> Option<Warning> {
    let beyond = websocket
        .hostnames
        .iter()
        .filter(|hostname| !hostname.is_loopback());
    let hostnames: Vec<_> = beyond.cloned().collect();
    let open = websocket.tokens.is_empty() && !hostnames.is_empty();
    open.then_some(Warning::OpenToWorkers { hostnames })
}

fn weak_keys(admin: &Admin, source: Option<&Source>) -> Vec<Warning> {
    if admin.keys.is_empty() {
        // An empty list in the file is how a file without a key looks; elsewhere it is a choice.
        return match source {
            None | Some(Source::File(_)) => vec![Warning::AdminKeyToCome],
            Some(Source::Environment(_) | Source::Flag(_)) => vec![Warning::NoAdminKey],
        };
    }
    let weakness = |key: &Secret| match key.expose() {
        ORIGINAL_KEY => Some(Warning::KnownAdminKey),
        key if key.len() < TOKEN_CHARACTERS_MIN => Some(Warning::ShortAdminKey {
            characters: key.len(),
        }),
        _ => None,
    };
    admin.keys.iter().filter_map(weakness).collect()
}

#[cfg(test)]
mod tests;
