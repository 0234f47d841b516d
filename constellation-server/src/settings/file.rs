//! The settings document as it is typed, whole: plain numbers and texts under the original's
//! names.
//!
//! It has no defaults and checks nothing: it is read from a document that the schema has checked
//! and completed, and written to show the settings in force. It is not `Debug`, because it holds
//! secrets as they were typed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The document.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct File {
    pub(super) webserver: Webserver,
    pub(super) websocket: Websocket,
    pub(super) heartbeat: Heartbeat,
    pub(super) proxy: Proxy,
    pub(super) routes: Vec<Route>,
    pub(super) admin: Admin,
    pub(super) placement: Placement,
    pub(super) ownership: Ownership,
    pub(super) store: Store,
    pub(super) logging: Logging,
}

/// Where clients connect.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Webserver {
    pub(super) hostname: String,
    pub(super) port: u16,
    pub(super) threads: Option<usize>,
    pub(super) ssl: Ssl,
    pub(super) headers: Headers,
}

/// TLS for clients.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Ssl {
    pub(super) enable: bool,
}

/// Headers of every response.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Headers {
    pub(super) default_headers: BTreeMap<String, String>,
}

/// Where workers connect.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Websocket {
    pub(super) hostnames: Vec<String>,
    pub(super) port: u16,
    pub(super) ssl: bool,
    pub(super) tokens: Vec<String>,
    pub(super) max_body_bytes: u64,
}

/// How long a silent worker keeps its keys.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Heartbeat {
    pub(super) interval_ms: u64,
    pub(super) max_failures: u32,
}

/// Limits of requests.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Proxy {
    pub(super) timeout_ms: u64,
    pub(super) max_body_bytes: Option<u64>,
    pub(super) body_idle_ms: Option<u64>,
    pub(super) body_total_ms: Option<u64>,
    pub(super) max_exchanges_per_worker: usize,
    pub(super) max_tunnels_per_worker: u32,
    pub(super) tunnel_idle_ms: Option<u64>,
    pub(super) tunnel_lifetime_ms: Option<u64>,
}

/// A rule that maps paths to keys.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Route {
    pub(super) pattern: String,
    pub(super) key: String,
}

/// Who may use the admin API.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Admin {
    pub(super) hostname: String,
    pub(super) port: Option<u16>,
    pub(super) api_key_header: String,
    pub(super) api_keys: Vec<String>,
}

/// Who gets a key.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Placement {
    pub(super) strategy: Strategy,
    pub(super) waiting_per_key_max: usize,
    pub(super) waiting_max: usize,
    pub(super) keys_max: usize,
    pub(super) idle_seconds: Option<u64>,
    pub(super) idle_never: Vec<String>,
    pub(super) drain_parallel: usize,
    pub(super) handover_ms: u64,
    pub(super) rebalance: Rebalance,
    pub(super) rebalance_interval_seconds: u64,
    pub(super) rebalance_budget: u32,
    pub(super) rebalance_min_gain: usize,
    pub(super) rebalance_cooldown_seconds: u64,
}

/// Whether keys are moved so that workers have equally many.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Rebalance {
    Off,
    On,
}

/// The ways to choose a worker.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Strategy {
    RoundRobin,
    LeastPinned,
}

/// When a key may get another owner.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Ownership {
    pub(super) on_disconnect: OnDisconnect,
    pub(super) startup_grace_ms: Option<u64>,
}

/// What a vanished connection means for the worker's keys.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum OnDisconnect {
    WaitForLease,
    Reassign,
}

/// Where pins are kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Store {
    pub(super) kind: StoreKind,
    pub(super) file: String,
}

/// The kinds of stores.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum StoreKind {
    #[serde(rename = "SQLite")]
    Sqlite,
    Memory,
}

/// Where the log goes.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Logging {
    pub(super) log_directory: String,
    pub(super) log_filename: Option<String>,
    pub(super) console_logging: bool,
    pub(super) enable_colors: bool,
    pub(super) minimum_severity: u8,
}
