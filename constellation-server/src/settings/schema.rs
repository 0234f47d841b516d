//! Every member of a settings document: its name, what it may hold, and its default.
//!
//! This table is the only place that knows them; the written default document, the checks, the
//! overrides and a test of `docs/settings.md` all walk it. The names are the original's.

use super::{
    document::Node,
    form::{Form, TOKEN_CHARACTERS_MIN},
    rule::Rule,
};

/// One member of an object.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its name, letter case included.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What a member is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// An object of further members.
    Section(&'static [Member]),
    /// A setting.
    Setting {
        /// What it may hold.
        rule: Rule,
        /// Its default, as JSON.
        default: &'static str,
    },
    /// A member of the original's file that is accepted and changes nothing here.
    WithoutEffect {
        /// Why it changes nothing.
        reason: &'static str,
    },
    /// A member of the original's file that must not be ignored when it asks for something.
    Unsupported {
        /// The values that ask for nothing, as JSON; `null`, `{}` and `[]` do so too.
        harmless: &'static [&'static str],
        /// Why others are refused and what to do.
        reason: &'static str,
    },
}

/// A setting with its path.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// The names from the root, joined by dots.
    pub(crate) path: String,
    /// What it may hold.
    pub(crate) rule: Rule,
    /// Its default, as JSON.
    pub(crate) default: &'static str,
}

impl Leaf {
    /// The default as a value.
    pub(crate) fn default_node(&self) -> Node {
        Node::parse(self.default).expect("a test parses every default")
    }
}

/// Every setting, in the order of the document.
pub(crate) fn leaves() -> Vec<Leaf> {
    fn walk(members: &[Member], prefix: &str, leaves: &mut Vec<Leaf>) {
        for Member { name, kind } in members {
            match kind {
                Kind::Section(members) => walk(members, &join(prefix, name), leaves),
                Kind::Setting { rule, default } => {
                    leaves.push(Leaf {
                        path: join(prefix, name),
                        rule: *rule,
                        default,
                    });
                }
                Kind::WithoutEffect { .. } | Kind::Unsupported { .. } => {}
            }
        }
    }
    let mut leaves = Vec::new();
    walk(ROOT, "", &mut leaves);
    leaves
}

/// The document with every default, as it is written when there is none.
pub(crate) fn default_document() -> Node {
    let mut document = Node::Object(Vec::new());
    for leaf in leaves() {
        document.insert(&leaf.path, leaf.default_node());
    }
    document
}

/// `name` under `prefix`, joined by a dot.
pub(crate) fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}

const NO_TLS: &str = "TLS is not yet supported by this version; let a proxy in front end TLS";
const NO_ACCESS_CONTROL: &str = "access control by address is not supported, and ignoring it \
                                 would let everyone in; use a firewall";
const NO_WEBSERVER: &str = "it tunes the original's web server, which this is not";
const NO_CERTIFICATE: &str = "TLS is not yet supported";

const fn section(name: &'static str, members: &'static [Member]) -> Member {
    Member {
        name,
        kind: Kind::Section(members),
    }
}

const fn setting(name: &'static str, rule: Rule, default: &'static str) -> Member {
    Member {
        name,
        kind: Kind::Setting { rule, default },
    }
}

const fn inert(name: &'static str, reason: &'static str) -> Member {
    Member {
        name,
        kind: Kind::WithoutEffect { reason },
    }
}

const fn unsupported(
    name: &'static str,
    harmless: &'static [&'static str],
    reason: &'static str,
) -> Member {
    Member {
        name,
        kind: Kind::Unsupported { harmless, reason },
    }
}

const fn number(least: u64, most: u64, unit: &'static str) -> Rule {
    Rule::Number {
        least,
        most,
        unit,
        null: None,
    }
}

const fn optional(least: u64, most: u64, unit: &'static str, null: &'static str) -> Rule {
    Rule::Number {
        least,
        most,
        unit,
        null: Some(null),
    }
}

const fn text(form: Form) -> Rule {
    Rule::Text { form, null: None }
}

const fn texts(form: Form, least: usize, most: usize) -> Rule {
    Rule::Texts { form, least, most }
}

const fn choice(words: &'static [&'static str]) -> Rule {
    text(Form::Choice(words))
}

/// The members of the document.
pub(crate) static ROOT: &[Member] = &[
    section("Webserver", WEBSERVER),
    section("Websocket", WEBSOCKET),
    section("Heartbeat", HEARTBEAT),
    section("Proxy", PROXY),
    setting("Routes", Rule::Routes, "[]"),
    section("Admin", ADMIN),
    section("Placement", PLACEMENT),
    section("Ownership", OWNERSHIP),
    section("Store", STORE),
    section("Logging", LOGGING),
    inert("Telemetry", "this version exports no telemetry"),
];

static WEBSERVER: &[Member] = &[
    setting("Hostname", text(Form::Hostname), r#""localhost""#),
    setting("Port", number(0, 65_535, ""), "8000"),
    setting(
        "Threads",
        optional(1, 256, "threads", "one per core"),
        "null",
    ),
    section(
        "Ssl",
        &[
            setting("Enable", Rule::Off { reason: NO_TLS }, "false"),
            inert("SslCertificate", NO_CERTIFICATE),
            inert("PfxCertificateFile", NO_CERTIFICATE),
            inert("PfxCertificatePassword", NO_CERTIFICATE),
            inert("MutuallyAuthenticate", NO_CERTIFICATE),
            inert("AcceptInvalidAcertificates", NO_CERTIFICATE),
        ],
    ),
    section(
        "Headers",
        &[
            setting(
                "DefaultHeaders",
                Rule::Headers { most: 64 },
                r#"{
                    "Access-Control-Allow-Origin": "*",
                    "Access-Control-Allow-Methods": "OPTIONS, HEAD, GET, PUT, POST, DELETE, PATCH",
                    "Access-Control-Allow-Headers": "*",
                    "Access-Control-Expose-Headers": "*"
                }"#,
            ),
            inert(
                "IncludeContentLength",
                "a response is framed as its body needs it",
            ),
        ],
    ),
    section(
        "AccessControl",
        &[
            unsupported("DenyList", &[], NO_ACCESS_CONTROL),
            unsupported("PermitList", &[], NO_ACCESS_CONTROL),
            unsupported("Mode", &[r#""DefaultPermit""#, "0"], NO_ACCESS_CONTROL),
        ],
    ),
    inert("IO", NO_WEBSERVER),
    inert("Debug", "the log's detail is Logging.MinimumSeverity"),
    inert("Prefix", "it follows from the other members"),
    inert("Protocols", NO_WEBSERVER),
    inert("AltSvc", NO_WEBSERVER),
    inert("Timeout", "the time a request may take is Proxy.TimeoutMs"),
    inert(
        "UseMachineHostname",
        "the interfaces are those of Webserver.Hostname",
    ),
    inert("Telemetry", "this version exports no telemetry"),
];

static WEBSOCKET: &[Member] = &[
    setting(
        "Hostnames",
        texts(Form::Hostname, 1, 16),
        r#"["localhost"]"#,
    ),
    setting("Port", number(0, 65_535, ""), "8001"),
    setting("Ssl", Rule::Off { reason: NO_TLS }, "false"),
    setting(
        "Tokens",
        texts(
            Form::Secret {
                least: TOKEN_CHARACTERS_MIN,
            },
            0,
            100,
        ),
        "[]",
    ),
    setting(
        "MaxBodyBytes",
        number(1024, 1_073_741_824, "bytes"),
        "67108864",
    ),
];

static HEARTBEAT: &[Member] = &[
    setting("IntervalMs", number(1000, 60_000, "milliseconds"), "2000"),
    setting("MaxFailures", number(1, 100, ""), "3"),
];

static PROXY: &[Member] = &[
    setting(
        "TimeoutMs",
        number(1000, 3_600_000, "milliseconds"),
        "30000",
    ),
    setting(
        "MaxBodyBytes",
        optional(1, 1_099_511_627_776, "bytes", "no limit"),
        "null",
    ),
    setting(
        "BodyIdleMs",
        optional(1000, 3_600_000, "milliseconds", "no limit"),
        "60000",
    ),
    setting(
        "BodyTotalMs",
        optional(1000, 604_800_000, "milliseconds", "no limit"),
        "21600000",
    ),
    setting("MaxExchangesPerWorker", number(1, 1_000_000, ""), "10000"),
    setting("MaxTunnelsPerWorker", number(0, 1_000_000, ""), "10000"),
    setting(
        "TunnelIdleMs",
        optional(1000, 604_800_000, "milliseconds", "any time"),
        "3600000",
    ),
    setting(
        "TunnelLifetimeMs",
        optional(1000, 31_536_000_000, "milliseconds", "any time"),
        "null",
    ),
    inert(
        "ResponseRetentionMs",
        "responses stream through and are not retained",
    ),
];

static ADMIN: &[Member] = &[
    setting("Hostname", text(Form::Hostname), r#""localhost""#),
    setting("Port", optional(0, 65_535, "", "no admin port"), "8002"),
    setting("ApiKeyHeader", text(Form::HeaderName), r#""x-api-key""#),
    setting("ApiKeys", texts(Form::Secret { least: 1 }, 0, 100), "[]"),
];

static PLACEMENT: &[Member] = &[
    setting(
        "Strategy",
        choice(&["RoundRobin", "LeastPinned"]),
        r#""RoundRobin""#,
    ),
    setting("WaitingPerKeyMax", number(1, 1_000_000, "requests"), "1000"),
    setting("WaitingMax", number(1, 10_000_000, "requests"), "10000"),
    setting("KeysMax", number(1, 1_000_000_000, "keys"), "10000000"),
    setting(
        "IdleSeconds",
        optional(1, 31_536_000, "seconds", "unused keys stay"),
        "null",
    ),
    setting("IdleNever", texts(Form::Pattern, 0, 1000), "[]"),
    setting("DrainParallel", number(1, 100_000, "keys"), "64"),
    setting(
        "HandoverMs",
        number(100, 3_600_000, "milliseconds"),
        "30000",
    ),
    setting("Rebalance", choice(&["Off", "On"]), r#""Off""#),
    setting(
        "RebalanceIntervalSeconds",
        number(1, 86_400, "seconds"),
        "30",
    ),
    setting("RebalanceBudget", number(1, 100_000, "keys"), "10"),
    setting("RebalanceMinGain", number(2, 1_000_000, "keys"), "5"),
    setting(
        "RebalanceCooldownSeconds",
        number(0, 86_400, "seconds"),
        "300",
    ),
];

static OWNERSHIP: &[Member] = &[
    setting(
        "OnDisconnect",
        choice(&["WaitForLease", "Reassign"]),
        r#""WaitForLease""#,
    ),
    setting(
        "StartupGraceMs",
        optional(
            0,
            3_600_000,
            "milliseconds",
            "one lease: IntervalMs x MaxFailures, or what it was before if that was longer",
        ),
        "null",
    ),
];

static STORE: &[Member] = &[
    setting("Kind", choice(&["SQLite", "Memory"]), r#""SQLite""#),
    setting("File", text(Form::Path), r#""./constellation.db""#),
];

static LOGGING: &[Member] = &[
    setting("LogDirectory", text(Form::Path), r#""./logs/""#),
    setting(
        "LogFilename",
        Rule::Text {
            form: Form::Path,
            null: Some("no log file"),
        },
        "null",
    ),
    setting("ConsoleLogging", Rule::Switch, "true"),
    setting("EnableColors", Rule::Switch, "true"),
    setting("MinimumSeverity", number(0, 7, ""), "1"),
    inert("Servers", "logs are not sent to syslog servers"),
];

#[cfg(test)]
mod tests;
