//! The settings of the `constellation` binary, as they are in force: checked, with units, and
//! with every default filled in.
//!
//! What the user typed is another type (`settings::file`); `settings::load` is the only way from
//! one to the other. Nothing here changes after it was made.

pub(crate) mod collect;
pub(crate) mod document;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod form;
pub(crate) mod hostname;
pub(crate) mod load;
pub(crate) mod nearest;
pub(crate) mod overrides;
pub(crate) mod resolve;
pub(crate) mod routes;
pub(crate) mod rule;
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod show;
pub(crate) mod store;
pub(crate) mod target;
pub(crate) mod warning;

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use constellation_actors::placement::{key_rules::KeyRules, pattern::Pattern};
use hostname::Hostname;
use log::LevelFilter;
use secret::Secret;
use warning::Warning;

/// The settings in force.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where clients connect.
    pub(crate) webserver: Webserver,
    /// Where workers connect.
    pub(crate) websocket: Websocket,
    /// How long a silent worker keeps its keys.
    pub(crate) heartbeat: Heartbeat,
    /// Limits of requests.
    pub(crate) proxy: Proxy,
    /// Which paths share a key.
    pub(crate) routes: KeyRules,
    /// Who may use the admin API.
    pub(crate) admin: Admin,
    /// Who gets a key.
    pub(crate) placement: Placement,
    /// When a key may get another owner.
    pub(crate) ownership: Ownership,
    /// Where pins are kept.
    pub(crate) store: Store,
    /// Where the log goes.
    pub(crate) logging: Logging,
    warnings: Vec<Warning>,
}

impl Settings {
    /// What a person should know about these settings, to be said at every start.
    pub(crate) fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// Where clients connect.
#[derive(Clone, Debug)]
pub(crate) struct Webserver {
    /// The interfaces to listen on.
    pub(crate) hostname: Hostname,
    /// The port; 0 is any free one.
    pub(crate) port: u16,
    /// Threads that carry clients and workers.
    pub(crate) threads: NonZeroUsize,
    /// Headers for every response that does not set them itself: names in lower case, and none
    /// that frames the message.
    pub(crate) default_headers: Vec<(String, String)>,
}

/// Where workers connect.
#[derive(Clone, Debug)]
pub(crate) struct Websocket {
    /// The interfaces to listen on; at least one.
    pub(crate) hostnames: Vec<Hostname>,
    /// The port; 0 is any free one.
    pub(crate) port: u16,
    /// A worker must bring one of these; when there is none, every worker is welcome.
    pub(crate) tokens: Vec<Secret>,
    /// The largest body, in bytes, for a worker of the JSON dialect.
    pub(crate) body_bytes_max: u64,
}

/// How long a silent worker keeps its keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heartbeat {
    /// Time between two heartbeats.
    pub(crate) interval: Duration,
    /// Heartbeats that may be missed in a row.
    pub(crate) failures_max: NonZeroU32,
}

/// Limits of requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proxy {
    /// Time until a response must have begun.
    pub(crate) timeout: Duration,
    /// The largest body of a request, in bytes; `None` is no limit.
    pub(crate) body_bytes_max: Option<u64>,
    /// How long a body may wait for its client without getting on; `None` is no limit.
    pub(crate) body_idle: Option<Duration>,
    /// How long a body may wait for its client in all; `None` is no limit.
    pub(crate) body_total: Option<Duration>,
    /// The most exchanges under way at one worker.
    pub(crate) exchanges_per_worker_max: usize,
    /// The most tunnels open at one worker.
    pub(crate) tunnels_per_worker_max: u32,
    /// How long a tunnel may be open without a byte; `None` is any time.
    pub(crate) tunnel_idle: Option<Duration>,
    /// How long a tunnel may be open; `None` is any time.
    pub(crate) tunnel_lifetime: Option<Duration>,
}

/// Who may use the admin API.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    /// The interfaces to listen on.
    pub(crate) hostname: Hostname,
    /// The port; 0 is any free one, `None` is no admin port.
    pub(crate) port: Option<u16>,
    /// The header that carries the key, in lower case.
    pub(crate) key_header: String,
    /// The keys; when there is none, nobody may.
    pub(crate) keys: Vec<Secret>,
}

/// Who gets a key.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    /// How a worker is chosen.
    pub(crate) strategy: Strategy,
    /// The most requests that wait for the owner of one key.
    pub(crate) waiting_per_key_max: usize,
    /// The most requests that wait for an owner, over all keys.
    pub(crate) waiting_max: usize,
    /// The most keys that have an owner.
    pub(crate) keys_max: usize,
    /// How long a key must not have been used to be released; `None` is never.
    pub(crate) idle: Option<Duration>,
    /// The keys that are not released however long nobody uses them.
    pub(crate) idle_never: Vec<Pattern>,
    /// How many keys of a drained worker move at a time.
    pub(crate) drain_parallel: usize,
    /// How long a worker may take to let one key go.
    pub(crate) handover: Duration,
    /// Whether keys are moved, from the start, so that workers have equally many.
    pub(crate) rebalance: bool,
    /// The time between two rounds of that.
    pub(crate) rebalance_interval: Duration,
    /// The most keys that one round moves.
    pub(crate) rebalance_budget: u32,
    /// By how many keys two workers must differ for one to move.
    pub(crate) rebalance_gain_min: usize,
    /// How long a key stays where it is after a planned move.
    pub(crate) rebalance_cooldown: Duration,
}

/// The ways to choose a worker for a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// One after the other.
    RoundRobin,
    /// The one with the fewest keys.
    LeastPinned,
}

/// When a key may get another owner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ownership {
    /// What a vanished connection means for the worker's keys.
    pub(crate) on_disconnect: OnDisconnect,
    /// How long after its start a controller that remembers nothing gives no keys away; one lease,
    /// the longest that may be running, when `None`.
    pub(crate) startup_grace: Option<Duration>,
}

/// What a vanished connection means for the worker's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnDisconnect {
    /// They stay until the worker's lease has ended.
    WaitForLease,
    /// They move at once; two owners are then told apart by their epochs only.
    Reassign,
}

/// Where pins are kept.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// The kind of store.
    pub(crate) kind: StoreKind,
    /// The file of a store that has one.
    pub(crate) file: PathBuf,
}

/// The kinds of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    /// In a SQLite file.
    Sqlite,
    /// Nowhere: they end with the process.
    Memory,
}

/// Where the log goes.
#[derive(Clone, Debug)]
pub(crate) struct Logging {
    /// The folder of the log file.
    pub(crate) directory: PathBuf,
    /// The log file's name; `None` is no file.
    pub(crate) filename: Option<PathBuf>,
    /// Whether to log to the console (standard error).
    pub(crate) console: bool,
    /// Whether the console is coloured, when it is a terminal.
    pub(crate) colors: bool,
    /// The least severity that is logged.
    pub(crate) severity: Severity,
}

impl Logging {
    /// The log file's path; an absolute name does not need the folder.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.filename.as_ref().map(|name| self.directory.join(name))
    }
}

/// The original's severities, 0 (debug) to 7 (nothing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Severity(u8);

impl Severity {
    /// The severity with this number; above 7 is the same as 7.
    pub(crate) const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The severity's number, 0 to 7.
    pub(crate) const fn get(self) -> u8 {
        self.0
    }

    /// The log level it stands for. Our errors are the original's errors, alerts, critical
    /// messages and emergencies, so 3 to 6 are the same.
    pub(crate) const fn level(self) -> LevelFilter {
        match self.0 {
            0 => LevelFilter::Debug,
            1 => LevelFilter::Info,
            2 => LevelFilter::Warn,
            3..=6 => LevelFilter::Error,
            7.. => LevelFilter::Off,
        }
    }
}
