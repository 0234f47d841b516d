//! What can be chosen before a controller starts.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use actix::{Arbiter, ArbiterHandle, Supervisor};
use actix_web::http::header::{HeaderName, HeaderValue};
use futures::executor::block_on;
use uuid::Uuid;

use super::Controller;
use crate::{
    clock::Clock,
    counters::Counters,
    gateway::Gateway,
    heartbeat::Heartbeat,
    ingress::{self, Admin, Ingress, PaceLimits, TunnelTimes, Tunnels},
    placement::{
        Placement, Start,
        input::{Restored, RestoredPin},
        key_rules::{KeyRules, KeyRulesError},
        lease::{LeaseTerms, TermsError},
        rules::{Balance, Idleness, OnDisconnect, Rebalancing, Rules},
        strategy::Strategy,
    },
    protocol::{
        credential::Tokens,
        mux::{
            Mux, Role,
            limits::{Limits, LimitsError},
        },
    },
    registry::{Parts, Registry, RegistryAddr, handle::Routes, route::RouteView},
    session::wire::Terms,
    status::{Hooks, WorkerStatus},
    store::{self, AnyStore, Store, memory::MemoryStore},
};

/// How long nothing may pass through a tunnel, where nothing else is said.
const TUNNEL_IDLE: Duration = Duration::from_secs(60 * 60);

/// Settings of a controller that has not started yet.
#[must_use = "a controller does nothing until it is started"]
pub struct ControllerBuilder {
    rules: Rules,
    startup_grace: Option<Duration>,
    timeout: Duration,
    body_bytes_max: Option<u64>,
    pace: PaceLimits,
    json_body_bytes_max: u64,
    admin_header: String,
    admin_keys: Vec<String>,
    worker_tokens: Vec<String>,
    default_headers: Vec<(String, String)>,
    routes: Vec<(String, String)>,
    limits: Limits,
    tunnel_times: TunnelTimes,
    hooks: Hooks,
    store: Box<dyn AnyStore>,
}

/// Why a controller cannot start with the settings it was given.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A header's name or value is none.
    #[error("{name:?}: {value:?} is not a header")]
    Header {
        /// Its name.
        name: String,
        /// Its value; empty for a header whose name alone was given.
        value: String,
    },
    /// The rules that map paths to keys cannot be used.
    #[error("the routes cannot be used")]
    Routes(#[from] KeyRulesError),
    /// The heartbeat's interval and failures make no lease.
    #[error("the heartbeat makes no lease")]
    Lease(#[from] TermsError),
    /// The limits of sessions do not fit together.
    #[error("the limits of sessions do not fit together")]
    Limits(#[from] LimitsError),
    /// The store does not tell what it knows.
    #[error("the store cannot be read")]
    Store(#[from] store::Error),
}

impl Default for ControllerBuilder {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            startup_grace: None,
            timeout: Duration::from_secs(30),
            body_bytes_max: None,
            pace: PaceLimits {
                idle: Some(Duration::from_secs(60)),
                total: Some(Duration::from_secs(6 * 60 * 60)),
            },
            json_body_bytes_max: 64 * 1024 * 1024,
            admin_header: "x-api-key".into(),
            admin_keys: Vec::new(),
            worker_tokens: Vec::new(),
            default_headers: Vec::new(),
            routes: Vec::new(),
            limits: Limits::default(),
            tunnel_times: TunnelTimes {
                idle: Some(TUNNEL_IDLE),
                lifetime: None,
            },
            hooks: Hooks::default(),
            store: Box::new(MemoryStore),
        }
    }
}

impl ControllerBuilder {
    /// How often workers renew their leases, and how many intervals without a word end one.
    /// Default: 2 s and 3, which makes leases of 6 s.
    pub fn heartbeat(mut self, interval: Duration, failures_max: u32) -> Self {
        self.rules.interval = interval;
        self.rules.failures_max = failures_max;
        self
    }

    /// How long keys wait after a start with a store that remembers nothing, because workers of
    /// an earlier life may still act on them. Default: one lease.
    ///
    /// Zero is right when no worker can outlive the controller, as when all run in one process.
    pub fn startup_grace(mut self, grace: Duration) -> Self {
        self.startup_grace = Some(grace);
        self
    }

    /// How a new key's worker is chosen. Default: round robin.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.rules.strategy = strategy;
        self
    }

    /// When the keys of a worker move whose connection vanished. Default: when its lease ends.
    pub fn on_disconnect(mut self, on_disconnect: OnDisconnect) -> Self {
        self.rules.on_disconnect = on_disconnect;
        self
    }

    /// The most requests that wait for the owner of one key, and of any key. Default: 1,000 and
    /// 10,000.
    pub fn waiting(mut self, per_key_max: usize, total_max: usize) -> Self {
        self.rules.waiting_per_key_max = per_key_max;
        self.rules.waiting_max = total_max;
        self
    }

    /// The most pinned keys. Default: 10,000,000.
    pub fn keys_max(mut self, keys_max: usize) -> Self {
        self.rules.keys_max = keys_max;
        self
    }

    /// How many keys of a drained worker move at a time, and how long a worker may take to let one
    /// key go before what runs for it is cancelled. Default: 64, 30 s.
    pub fn handover(mut self, drain_parallel: usize, patience: Duration) -> Self {
        self.rules.drain_parallel = drain_parallel.max(1);
        self.rules.handover_patience = patience;
        self
    }

    /// When keys that nobody uses are released. Default: never.
    pub fn idleness(mut self, idleness: Option<Idleness>) -> Self {
        self.rules.idleness = idleness;
        self
    }

    /// How keys are moved so that workers have equally many, and whether that is on from the
    /// start. Default: off.
    pub fn rebalancing(mut self, balance: Balance, rebalancing: Rebalancing) -> Self {
        self.rules.balance = balance;
        self.rules.rebalancing = rebalancing;
        self
    }

    /// How long a request may wait for the head of its answer, waiting for an owner included.
    /// Default: 30 s.
    pub fn proxy_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The longest request body, in bytes. Default: none, bodies are streamed.
    pub fn request_body_bytes_max(mut self, bytes_max: Option<u64>) -> Self {
        self.body_bytes_max = bytes_max;
        self
    }

    /// How long a body, in either direction, may wait for its client: without getting on, and in
    /// all. Time that the worker takes does not count. A client that is slower is cut off. Default:
    /// one minute and six hours; `None` is no limit.
    pub fn body_pace(mut self, idle: Option<Duration>, total: Option<Duration>) -> Self {
        self.pace = PaceLimits { idle, total };
        self
    }

    /// The longest body, in either direction, of a worker of the JSON dialect, which cannot
    /// stream, in bytes. Default: 64 MiB.
    pub fn json_body_bytes_max(mut self, bytes_max: u64) -> Self {
        self.json_body_bytes_max = bytes_max;
        self
    }

    /// The most exchanges that one worker's session runs at a time. Default: 10,000.
    pub fn exchanges_max(mut self, exchanges_max: u32) -> Self {
        self.limits.exchanges_max = exchanges_max;
        self
    }

    /// The most tunnels, which websockets to the owner of a key are, that one worker's session
    /// carries at a time. They do not count as exchanges. Zero refuses every websocket. Default:
    /// 10,000.
    pub fn tunnels_max(mut self, tunnels_max: u32) -> Self {
        self.limits.tunnels_max = tunnels_max;
        self
    }

    /// How long a tunnel may be open without a byte in either direction, and how long at all.
    /// `None` is any time. Default: one hour, and any time.
    pub fn tunnel_times(mut self, idle: Option<Duration>, lifetime: Option<Duration>) -> Self {
        self.tunnel_times = TunnelTimes { idle, lifetime };
        self
    }

    /// The header that brings an admin key, and the keys that are accepted. Default: `x-api-key`,
    /// and no key, which lets nobody in.
    pub fn admin_keys(
        mut self,
        header: impl Into<String>,
        keys: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.admin_header = header.into();
        self.admin_keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// The tokens one of which a worker has to bring. Default: none, any worker is let in.
    pub fn worker_tokens(mut self, tokens: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.worker_tokens = tokens.into_iter().map(Into::into).collect();
        self
    }

    /// Headers that every response gets unless the worker set them. Default: none.
    pub fn default_headers(
        mut self,
        headers: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        let headers = headers.into_iter();
        self.default_headers = headers
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        self
    }

    /// Rules that map paths to keys, each a pattern and a key, such as `("/db/{name}/**",
    /// "/db/{name}")`, which gives everything below one database one owner; see
    /// [`KeyRules::parse`]. The first that matches makes the key. Default: none, every path is its
    /// own key.
    ///
    /// Patterns are compared with whole paths, the prefix of a scope included. What workers say
    /// that they serve is compared with keys.
    pub fn routes(
        mut self,
        rules: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        let rules = rules.into_iter();
        self.routes = rules
            .map(|(pattern, key)| (pattern.into(), key.into()))
            .collect();
        self
    }

    /// Is called when a worker has connected. Runs on the Registry's thread: it must not block.
    pub fn on_worker_connected(
        mut self,
        hook: impl Fn(&WorkerStatus) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.on_connected = Some(Arc::new(hook));
        self
    }

    /// Is called when a worker's connection has ended. Runs on the Registry's thread: it must not
    /// block.
    pub fn on_worker_disconnected(
        mut self,
        hook: impl Fn(&WorkerStatus) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.on_disconnected = Some(Arc::new(hook));
        self
    }

    /// Where pins are made durable. Default: [`MemoryStore`].
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Box::new(store);
        self
    }

    /// Starts the controller's actors, on a thread of their own, once the store has told what it
    /// knows; waits for that.
    ///
    /// # Errors
    ///
    /// When a setting is out of range or means nothing, or the store cannot be read.
    ///
    /// # Panics
    ///
    /// Outside of an actix system.
    pub fn start(mut self) -> Result<Controller, BuildError> {
        let admin_header = header_name(&self.admin_header)?;
        let default_headers = headers(&self.default_headers)?;
        let key_rules = KeyRules::parse(self.routes.iter().map(|(pattern, key)| (pattern, key)))?;
        self.rules.key_rules = key_rules.clone();
        let lease = self.lease()?;
        Mux::new(Role::Controller, self.limits).map(drop)?;

        let clock = Clock::new();
        let (start, restored) = self.load(clock)?;
        let view = Arc::new(RouteView::default());
        let keys_max = self.rules.keys_max;
        let counters = Arc::<Counters>::default();
        let tunnels = Tunnels::new(self.tunnel_times, clock, Arc::clone(&counters));
        let parts = Parts {
            clock,
            placement: Placement::new(self.rules, start),
            restored: Box::new(restored),
            store: self.store,
            terms: Terms {
                controller: Uuid::new_v4(),
                lease,
                request_timeout: self.timeout,
            },
            hooks: self.hooks,
            view: Arc::clone(&view),
            counters: Arc::clone(&counters),
            tunnels: Arc::clone(&tunnels),
        };
        let (registry, arbiter) = start_actors(parts);
        let ingress = Ingress {
            routes: Routes::new(registry.clone(), Arc::clone(&view)),
            admin: Admin {
                header: admin_header,
                keys: Tokens::new(self.admin_keys),
                registry: registry.clone(),
            },
            rules: ingress::Rules {
                timeout: self.timeout,
                body_bytes_max: self.body_bytes_max,
                pace: self.pace,
                default_headers,
            },
            counters,
            key_rules,
            tunnels,
        };
        let gateway = Gateway {
            registry: registry.clone(),
            tokens: Tokens::new(self.worker_tokens),
            limits: self.limits,
            keys_max,
            json_body_bytes_max: self.json_body_bytes_max,
            sessions: AtomicU64::new(0),
        };
        Ok(Controller {
            registry,
            view,
            ingress: Arc::new(ingress),
            gateway: Arc::new(gateway),
            arbiter,
        })
    }

    /// What workers are told of their leases.
    fn lease(&self) -> Result<LeaseTerms, TermsError> {
        // With one failure allowed, a lease would be over before its next renewal: renew more
        // often than the controller looks.
        let interval = self.rules.interval.min(self.rules.ttl() / 3);
        LeaseTerms::new(self.rules.ttl(), interval)
    }

    /// What the placement begins with.
    fn load(&mut self, clock: Clock) -> Result<(Start, Restored), BuildError> {
        let loaded = block_on(self.store.load(self.rules.ttl()))?;
        let grace = self.startup_grace.unwrap_or(loaded.lease);
        // Counted from now, when nobody else can be the controller any more.
        let grace_until = clock.now() + grace;
        let start = Start {
            first_epoch: loaded.first_epoch,
            grace_until: (!loaded.complete && !grace.is_zero()).then_some(grace_until),
        };
        let restored = Restored {
            pins: loaded.pins.into_iter().map(RestoredPin::from).collect(),
            lease: loaded.lease,
            cordoned: loaded.cordoned,
        };
        Ok((start, restored))
    }
}

/// Starts the Registry and the Heartbeat on a thread of their own.
fn start_actors(parts: Parts) -> (RegistryAddr, ArbiterHandle) {
    let arbiter = Arbiter::new().handle();
    let registry = Supervisor::start_in_arbiter(&arbiter, move |_| Registry::new(parts));
    let ticked = registry.clone();
    Supervisor::start_in_arbiter(&arbiter, move |_| Heartbeat::new(ticked));
    (registry, arbiter)
}

fn headers(pairs: &[(String, String)]) -> Result<Vec<(HeaderName, HeaderValue)>, BuildError> {
    let checked = pairs
        .iter()
        .map(|(name, value)| Ok((header_name(name)?, header_value(name, value)?)));
    checked.collect()
}

fn header_name(name: &str) -> Result<HeaderName, BuildError> {
    HeaderName::try_from(name).map_err(|_| BuildError::Header {
        name: name.to_owned(),
        value: String::new(),
    })
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, BuildError> {
    HeaderValue::try_from(value).map_err(|_| BuildError::Header {
        name: name.to_owned(),
        value: value.to_owned(),
    })
}

impl std::fmt::Debug for ControllerBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ControllerBuilder")
            .field("rules", &self.rules)
            .field("startup_grace", &self.startup_grace)
            .field("timeout", &self.timeout)
            .field("limits", &self.limits)
            .field("hooks", &self.hooks)
            .finish_non_exhaustive()
    }
}
