//! What is in force, and which settings do not fit each other.

use std::path::Path;

use super::*;
use crate::settings::{
    document::Node,
    form::Form,
    overrides::Override,
    rule::Rule,
    schema::{self, leaves},
    show::show,
};

fn resolve_with(json: &str, flags: &[(&str, &str)]) -> Result<Settings, Vec<Fault>> {
    let path = Path::new("c.json");
    let mut collected = Collected::default();
    collected.add_file(path, &Node::parse(json).unwrap());
    let flags: Vec<_> = flags
        .iter()
        .map(|(member, text)| Override::flag("--set", member, (*text).to_owned()))
        .collect();
    collected.add_overrides(&flags);
    resolve(
        &collected,
        &Source::File(path.to_owned()),
        NonZeroUsize::new(3).unwrap(),
    )
}

fn settings(flags: &[(&str, &str)]) -> Settings {
    resolve_with("{}", flags).unwrap()
}

fn faults(json: &str, flags: &[(&str, &str)]) -> Vec<String> {
    resolve_with(json, flags)
        .unwrap_err()
        .iter()
        .map(Fault::to_string)
        .collect()
}

#[test]
fn an_empty_document_has_the_defaults_in_force() {
    let settings = settings(&[]);
    assert_eq!(settings.webserver.hostname, Hostname::Loopback);
    assert_eq!(
        (settings.webserver.port, settings.websocket.port),
        (8000, 8001)
    );
    assert_eq!(settings.webserver.threads.get(), 3);
    assert_eq!(settings.webserver.default_headers.len(), 4);
    assert_eq!(settings.heartbeat.interval, Duration::from_secs(2));
    assert_eq!(settings.ownership.startup_grace, None);
    assert_eq!(settings.proxy.body_bytes_max, None);
    assert_eq!(settings.store.kind, StoreKind::Sqlite);
    assert_eq!(settings.store.file, Path::new("./constellation.db"));
    assert_eq!(settings.logging.file(), None);
    assert_eq!(settings.admin.port, Some(8002));
    assert_eq!(settings.placement.idle, None);
    assert!(!settings.placement.rebalance);
    assert_eq!(settings.warnings(), [Warning::AdminKeyToCome]);
}

/// Every value at the ends of its range, and every word, must be one that the types take.
#[test]
fn whatever_the_schema_admits_the_types_take() {
    for leaf in leaves() {
        let values: Vec<String> = match leaf.rule {
            Rule::Number {
                least, most, null, ..
            } => {
                let null = null.map(|_| "null".to_owned());
                [least.to_string(), most.to_string()]
                    .into_iter()
                    .chain(null)
                    .collect()
            }
            Rule::Text {
                form: Form::Choice(words),
                ..
            } => words.iter().map(|word| (*word).to_owned()).collect(),
            Rule::Text { null: Some(_), .. } => vec!["null".into(), "a".into()],
            Rule::Switch => vec!["true".into(), "false".into()],
            Rule::Off { .. }
            | Rule::Text { .. }
            | Rule::Texts { .. }
            | Rule::Headers { .. }
            | Rule::Routes => vec![],
        };
        for value in values {
            // The outcome may be a conflict with another setting; it must not be a panic.
            if let Err(faults) = resolve_with("{}", &[(&leaf.path, &value)]) {
                let all_conflict = faults
                    .iter()
                    .all(|fault| matches!(fault.problem, Problem::Conflict(_)));
                assert!(all_conflict, "{}={value}: {faults:?}", leaf.path);
            }
        }
    }
}

#[test]
fn what_is_shown_is_in_force_and_no_secret() {
    let settings = settings(&[
        ("Webserver.Hostname", "*"),
        ("Webserver.Port", "1"),
        ("Webserver.Threads", "7"),
        ("Webserver.Headers.DefaultHeaders", r#"{"X-A":"b"}"#),
        ("Websocket.Hostnames", "127.0.0.1,[::1]"),
        ("Websocket.Port", "2"),
        ("Websocket.Tokens", "0123456789abcdef"),
        ("Websocket.MaxBodyBytes", "2048"),
        ("Heartbeat.IntervalMs", "1500"),
        ("Heartbeat.MaxFailures", "4"),
        ("Proxy.TimeoutMs", "1001"),
        ("Proxy.MaxBodyBytes", "5"),
        ("Proxy.BodyIdleMs", "1002"),
        ("Proxy.BodyTotalMs", "1003"),
        ("Proxy.MaxExchangesPerWorker", "6"),
        ("Proxy.MaxTunnelsPerWorker", "7"),
        ("Proxy.TunnelIdleMs", "1004"),
        ("Proxy.TunnelLifetimeMs", "1005"),
        (
            "Routes",
            r#"[{"Pattern":"/db/{name}/**","Key":"/db/{name}"}]"#,
        ),
        ("Admin.Hostname", "127.0.0.1"),
        ("Admin.Port", "null"),
        ("Admin.ApiKeyHeader", "X-Key"),
        ("Admin.ApiKeys", "a-long-enough-admin-key"),
        ("Placement.Strategy", "LeastPinned"),
        ("Placement.WaitingPerKeyMax", "8"),
        ("Placement.WaitingMax", "9"),
        ("Placement.KeysMax", "10"),
        ("Placement.IdleSeconds", "11"),
        ("Placement.IdleNever", "/games/**,/db/*"),
        ("Placement.DrainParallel", "12"),
        ("Placement.HandoverMs", "1300"),
        ("Placement.Rebalance", "On"),
        ("Placement.RebalanceIntervalSeconds", "14"),
        ("Placement.RebalanceBudget", "15"),
        ("Placement.RebalanceMinGain", "16"),
        ("Placement.RebalanceCooldownSeconds", "17"),
        ("Ownership.OnDisconnect", "Reassign"),
        ("Store.Kind", "Memory"),
        ("Store.File", "p.db"),
        ("Logging.LogDirectory", "d"),
        ("Logging.LogFilename", "c.log"),
        ("Logging.ConsoleLogging", "false"),
        ("Logging.EnableColors", "false"),
        ("Logging.MinimumSeverity", "4"),
    ]);
    let shown: serde_json::Value = serde_json::from_str(&show(&settings)).unwrap();
    let wanted = serde_json::json!({
        "Webserver": {
            "Hostname": "*", "Port": 1, "Threads": 7, "Ssl": { "Enable": false },
            "Headers": { "DefaultHeaders": { "x-a": "b" } }
        },
        "Websocket": {
            "Hostnames": ["127.0.0.1", "::1"], "Port": 2, "Ssl": false,
            "Tokens": ["(redacted)"], "MaxBodyBytes": 2048
        },
        "Heartbeat": { "IntervalMs": 1500, "MaxFailures": 4 },
        "Proxy": {
            "TimeoutMs": 1001, "MaxBodyBytes": 5, "BodyIdleMs": 1002, "BodyTotalMs": 1003,
            "MaxExchangesPerWorker": 6, "MaxTunnelsPerWorker": 7, "TunnelIdleMs": 1004,
            "TunnelLifetimeMs": 1005
        },
        "Routes": [{ "Pattern": "/db/{name}/**", "Key": "/db/{name}" }],
        "Admin": {
            "Hostname": "127.0.0.1", "Port": null,
            "ApiKeyHeader": "x-key", "ApiKeys": ["(redacted)"]
        },
        "Placement": {
            "Strategy": "LeastPinned", "WaitingPerKeyMax": 8, "WaitingMax": 9, "KeysMax": 10,
            "IdleSeconds": 11, "IdleNever": ["/games/**", "/db/*"], "DrainParallel": 12,
            "HandoverMs": 1300, "Rebalance": "On", "RebalanceIntervalSeconds": 14,
            "RebalanceBudget": 15, "RebalanceMinGain": 16, "RebalanceCooldownSeconds": 17
        },
        "Ownership": { "OnDisconnect": "Reassign", "StartupGraceMs": null },
        "Store": { "Kind": "Memory", "File": "p.db" },
        "Logging": {
            "LogDirectory": "d", "LogFilename": "c.log", "ConsoleLogging": false,
            "EnableColors": false, "MinimumSeverity": 4
        }
    });
    assert_eq!(shown, wanted);
}

#[test]
fn the_shown_document_has_every_setting() {
    let shown = Node::parse(&show(&settings(&[]))).unwrap();
    let mut collected = Collected::default();
    collected.add_file(Path::new("shown"), &shown);
    for leaf in leaves() {
        assert!(collected.source_of(&leaf.path).is_some(), "{}", leaf.path);
    }
    assert_eq!(collected.faults, []);
}

#[test]
fn one_port_for_clients_and_workers_is_a_conflict_where_their_hosts_overlap() {
    assert_eq!(
        faults("{}", &[("Websocket.Port", "8000")]),
        [
            "flag --set: Websocket.Port is 8000, which is also Webserver.Port, and the hostnames \
          localhost and localhost overlap; use two ports"
        ]
    );
    assert!(faults(r#"{"Websocket":{"Port":8000}}"#, &[])[0].starts_with("c.json: Websocket.Port"));
    settings(&[
        ("Websocket.Port", "8000"),
        ("Websocket.Hostnames", "127.0.0.2"),
    ]);
    settings(&[("Websocket.Port", "0"), ("Webserver.Port", "0")]);
}

#[test]
fn a_port_for_operators_that_another_has_is_a_conflict() {
    let problem = |member: &str| {
        format!(
            "flag --set: Admin.Port is 8001, which is also {member}, and the hostnames localhost \
             and localhost overlap; use another, or null for no admin port"
        )
    };
    assert_eq!(
        faults("{}", &[("Admin.Port", "8001")]),
        [problem("Websocket.Port")]
    );
    let clients = [
        ("Admin.Port", "8001"),
        ("Webserver.Port", "8001"),
        ("Websocket.Port", "1"),
    ];
    assert_eq!(faults("{}", &clients), [problem("Webserver.Port")]);
    settings(&[("Admin.Port", "8001"), ("Admin.Hostname", "127.0.0.2")]);
    settings(&[("Admin.Port", "0"), ("Webserver.Port", "0")]);
}

#[test]
fn an_admin_port_beyond_loopback_is_warned_of_unless_there_is_none() {
    let exposed = |flags: &[(&str, &str)]| {
        let settings = settings(flags);
        settings
            .warnings()
            .iter()
            .any(|it| matches!(it, Warning::AdminBeyondLoopback { .. }))
    };
    assert!(!exposed(&[]));
    assert!(exposed(&[("Admin.Hostname", "*")]));
    assert!(!exposed(&[("Admin.Hostname", "*"), ("Admin.Port", "null")]));
}

#[test]
fn what_is_no_pattern_of_keys_is_refused() {
    let refused = faults("{}", &[("Placement.IdleNever", "/games/**,games")]);
    assert!(
        refused[0].starts_with("flag --set: Placement.IdleNever.1 is \"games\"; allowed is"),
        "{refused:?}"
    );
}

#[test]
fn a_host_that_another_covers_is_a_conflict() {
    assert_eq!(
        faults("{}", &[("Websocket.Hostnames", "*,127.0.0.1")]),
        ["flag --set: Websocket.Hostnames lists 127.0.0.1, which * covers already"]
    );
}

#[test]
fn a_key_cannot_have_more_waiting_than_all_together() {
    let waiting = [
        ("Placement.WaitingPerKeyMax", "11"),
        ("Placement.WaitingMax", "10"),
    ];
    assert_eq!(
        faults("{}", &waiting),
        [
            "flag --set: Placement.WaitingPerKeyMax is 11, more than Placement.WaitingMax, \
          which is 10"
        ]
    );
    settings(&[
        ("Placement.WaitingPerKeyMax", "10"),
        ("Placement.WaitingMax", "10"),
    ]);
}

#[test]
fn faults_of_single_values_and_conflicts_come_together() {
    let faults = faults(
        r#"{"Proxy":{"TimeoutMs":1}}"#,
        &[("Websocket.Port", "8000")],
    );
    assert_eq!(faults.len(), 2);
}

#[test]
fn workers_from_elsewhere_without_a_token_are_warned_of() {
    let open = |flags: &[(&str, &str)]| {
        let settings = settings(flags);
        settings
            .warnings()
            .iter()
            .any(|it| matches!(it, Warning::OpenToWorkers { .. }))
    };
    assert!(!open(&[]));
    assert!(open(&[("Websocket.Hostnames", "*")]));
    assert!(open(&[("Websocket.Hostnames", "localhost,10.0.0.1")]));
    assert!(!open(&[
        ("Websocket.Hostnames", "*"),
        ("Websocket.Tokens", "0123456789abcdef")
    ]));
    assert!(!open(&[("Webserver.Hostname", "*")]));
}

#[test]
fn a_weak_admin_key_is_warned_of_and_a_strong_one_is_not() {
    let warnings = |keys: &str| settings(&[("Admin.ApiKeys", keys)]).warnings().to_vec();
    assert_eq!(warnings("constellationadmin"), [Warning::KnownAdminKey]);
    assert_eq!(
        warnings("short"),
        [Warning::ShortAdminKey { characters: 5 }]
    );
    assert_eq!(warnings("0123456789abcdef"), []);
    assert_eq!(warnings(""), [Warning::NoAdminKey]);
}

#[test]
fn a_default_header_that_the_server_decides_is_not_sent() {
    let headers = r#"{"Webserver":{"Headers":{"DefaultHeaders":
        {"Connection":"close","Host":"h","Date":"d","X-Worker":"w","X-A":"1"}}}}"#;
    let settings = resolve_with(headers, &[]).unwrap();
    assert_eq!(
        settings.webserver.default_headers,
        [("x-a".to_owned(), "1".to_owned())]
    );
    let unsent: Vec<_> = settings
        .warnings()
        .iter()
        .filter_map(|warning| match warning {
            Warning::HeaderNotSent { name } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(unsent, ["Connection", "Date", "Host", "X-Worker"]);
}

#[test]
fn the_header_of_the_admin_key_is_compared_in_lower_case() {
    assert_eq!(
        settings(&[("Admin.ApiKeyHeader", "X-Admin-Key")])
            .admin
            .key_header,
        "x-admin-key"
    );
}

#[test]
fn the_default_document_is_complete_and_has_no_key() {
    let mut collected = Collected::default();
    collected.add_file(Path::new("default"), &schema::default_document());
    assert_eq!((collected.faults.len(), collected.warnings.len()), (0, 0));
    assert!(
        leaves()
            .iter()
            .all(|leaf| collected.source_of(&leaf.path).is_some())
    );
    let text = schema::default_document().to_pretty();
    assert!(text.contains("\"ApiKeys\": []"), "{text}");
}
