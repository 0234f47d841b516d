//! What the sources give, and what is said of what they give wrongly.

use super::*;
use crate::settings::overrides::from_environment;

fn from_file(json: &str) -> Collected {
    let mut collected = Collected::default();
    collected.add_file(Path::new("c.json"), &Node::parse(json).unwrap());
    collected
}

fn faults(collected: &Collected) -> Vec<String> {
    collected.faults.iter().map(Fault::to_string).collect()
}

fn warnings(collected: &Collected) -> Vec<String> {
    collected.warnings.iter().map(Warning::to_string).collect()
}

fn with_environment(json: &str, variables: &[(&str, &str)]) -> Collected {
    let mut collected = from_file(json);
    let variables = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    collected.add_overrides(&from_environment(variables).0);
    collected
}

fn with_flags(json: &str, flags: &[(&str, &str)]) -> Collected {
    let mut collected = from_file(json);
    let flags: Vec<_> = flags
        .iter()
        .map(|(member, text)| Override::flag("--set", member, (*text).to_owned()))
        .collect();
    collected.add_overrides(&flags);
    collected
}

fn value(collected: &Collected, path: &str) -> Node {
    path.split('.').fold(collected.document(), |node, name| {
        let Node::Object(members) = node else {
            panic!("{path} is not in the document");
        };
        members
            .into_iter()
            .find(|(known, _)| known == name)
            .unwrap()
            .1
    })
}

fn json(text: &str) -> Node {
    Node::parse(text).unwrap()
}

#[test]
fn all_faults_of_a_file_are_found_at_once() {
    let collected = from_file(
        r#"{
            "Webserver": { "Port": 70000, "Hostname": 7 },
            "Heartbeat": { "IntervalMS": 5, "MaxFailures": 0 },
            "Proxi": {},
            "Admin": 1
        }"#,
    );
    assert_eq!(
        faults(&collected),
        [
            "c.json: Webserver.Port is 70000; allowed is a whole number from 0 to 65535",
            "c.json: Webserver.Hostname is 7; allowed is a host name, an IP address, \
             \"localhost\" (both loopback addresses) or \"*\" (every interface)",
            "c.json: Heartbeat.IntervalMS is not a known setting; \
             did you mean Heartbeat.IntervalMs?",
            "c.json: Heartbeat.MaxFailures is 0; allowed is a whole number from 1 to 100",
            "c.json: Proxi is not a known setting; did you mean Proxy?",
            "c.json: Admin is 1; allowed is an object of members",
        ]
    );
}

#[test]
fn a_member_in_the_wrong_section_is_told_its_own() {
    let collected = from_file(r#"{ "TimeoutMs": 5, "Placement": { "IntervalMs": 1 } }"#);
    assert_eq!(
        faults(&collected),
        [
            "c.json: TimeoutMs is not a known setting; did you mean Proxy.TimeoutMs?",
            "c.json: Placement.IntervalMs is not a known setting; \
             did you mean Heartbeat.IntervalMs?",
        ]
    );
}

#[test]
fn a_name_like_none_lists_those_of_its_section() {
    let collected = from_file(r#"{ "Heartbeat": { "Xyz": 1 } }"#);
    assert_eq!(
        faults(&collected),
        ["c.json: Heartbeat.Xyz is not a known setting; \
          known in Heartbeat are IntervalMs, MaxFailures"]
    );
}

#[test]
fn a_member_given_twice_is_refused_and_the_first_one_still_checked() {
    let collected = from_file(r#"{ "Proxy": { "TimeoutMs": 1, "TimeoutMs": 5000 }, "Proxy": {} }"#);
    assert_eq!(
        faults(&collected),
        [
            "c.json: Proxy.TimeoutMs is 1; allowed is a whole number \
             from 1000 to 3600000 milliseconds",
            "c.json: Proxy.TimeoutMs is given more than once",
            "c.json: Proxy is given more than once",
        ]
    );
}

#[test]
fn a_document_that_is_no_object_is_refused() {
    assert_eq!(
        faults(&from_file("[]")),
        ["c.json: the document is a list; allowed is an object of members"]
    );
}

#[test]
fn tls_is_refused_rather_than_left_out() {
    let collected = from_file(
        r#"{ "Webserver": { "Ssl": { "Enable": true } }, "Websocket": { "Ssl": true } }"#,
    );
    let faults = faults(&collected);
    assert!(
        faults[0].starts_with("c.json: Webserver.Ssl.Enable is true; TLS is not yet supported")
    );
    assert!(faults[1].starts_with("c.json: Websocket.Ssl is true; TLS is not yet supported"));
}

#[test]
fn access_control_that_restricts_is_refused_rather_than_ignored() {
    let harmless = r#"{ "DenyList": {}, "PermitList": {}, "Mode": "DefaultPermit" }"#;
    let collected = from_file(&format!(
        r#"{{ "Webserver": {{ "AccessControl": {harmless} }} }}"#
    ));
    assert_eq!(faults(&collected), [""; 0]);
    let restricting = r#"{ "Webserver": { "AccessControl": { "Mode": "DefaultDeny" } } }"#;
    let refused = faults(&from_file(restricting));
    assert!(refused[0].starts_with("c.json: Webserver.AccessControl.Mode is \"DefaultDeny\"; acc"));
    let collected = with_environment(
        "{}",
        &[(
            "CONSTELLATION__WEBSERVER__ACCESSCONTROL__MODE",
            "DefaultDeny",
        )],
    );
    assert_eq!(collected.faults.len(), 1);
}

#[test]
fn a_member_without_effect_is_warned_of_unless_it_asks_for_nothing() {
    let collected = from_file(
        r#"{
            "Webserver": { "IO": { "MaxRequests": 1024 }, "Timeout": {} },
            "Proxy": { "ResponseRetentionMs": 30000 },
            "Logging": { "Servers": [] }
        }"#,
    );
    assert_eq!(faults(&collected), [""; 0]);
    assert_eq!(
        warnings(&collected),
        [
            "c.json: Webserver.IO has no effect: it tunes the original's web server, \
             which this is not",
            "c.json: Proxy.ResponseRetentionMs has no effect: responses stream through and are \
             not retained",
        ]
    );
}

#[test]
fn the_environment_wins_over_the_file_whatever_its_letter_case() {
    let collected = with_environment(
        r#"{ "Heartbeat": { "IntervalMs": 5000, "MaxFailures": 9 } }"#,
        &[("CONSTELLATION__HEARTBEAT__INTERVALMS", "1000")],
    );
    assert_eq!(faults(&collected), [""; 0]);
    assert_eq!(value(&collected, "Heartbeat.IntervalMs"), json("1000"));
    assert_eq!(value(&collected, "Heartbeat.MaxFailures"), json("9"));
    assert_eq!(value(&collected, "Proxy.TimeoutMs"), json("30000"));
}

#[test]
fn a_wrong_override_names_its_variable_or_flag() {
    let collected = with_environment(
        "{}",
        &[
            ("CONSTELLATION__HEARTBEAT__INTERVALMS", "1s"),
            ("CONSTELLATION__HEARTBEAT__INTERVAL", "1"),
            ("CONSTELLATION__PROXY", "1"),
            ("CONSTELLATION__PROXY__TIMEOUTMS__0", "1"),
        ],
    );
    assert_eq!(
        faults(&collected),
        [
            "environment variable CONSTELLATION__PROXY: PROXY is not a known setting; \
             it is a section with the members \
             TimeoutMs, MaxBodyBytes, BodyIdleMs, BodyTotalMs, MaxExchangesPerWorker, \
             MaxTunnelsPerWorker, TunnelIdleMs, TunnelLifetimeMs, ResponseRetentionMs",
            "environment variable CONSTELLATION__HEARTBEAT__INTERVAL: HEARTBEAT.INTERVAL \
             is not a known setting; did you mean Heartbeat.IntervalMs?",
            "environment variable CONSTELLATION__HEARTBEAT__INTERVALMS: Heartbeat.IntervalMs \
             is \"1s\"; allowed is a whole number from 1000 to 60000 milliseconds",
            "environment variable CONSTELLATION__PROXY__TIMEOUTMS__0: PROXY.TIMEOUTMS.0 \
             is not a known setting; Proxy.TimeoutMs has no members",
        ]
    );
    let collected = with_flags("{}", &[("heartbeat.IntervalMs", "1000")]);
    assert_eq!(
        faults(&collected),
        ["flag --set: heartbeat.IntervalMs is not a known setting; did you mean Heartbeat?"]
    );
}

#[test]
fn a_list_is_replaced_whole_or_by_its_entries() {
    let file = r#"{ "Admin": { "ApiKeys": ["a", "b"] } }"#;
    let keys = |variables: &[(&str, &str)]| {
        let collected = with_environment(file, variables);
        assert_eq!(faults(&collected), [""; 0]);
        value(&collected, "Admin.ApiKeys")
    };
    assert_eq!(
        keys(&[("CONSTELLATION__ADMIN__APIKEYS", "x, y,z")]),
        json(r#"["x","y","z"]"#)
    );
    assert_eq!(
        keys(&[("CONSTELLATION__ADMIN__APIKEYS__1", "x")]),
        json(r#"["a","x"]"#)
    );
    assert_eq!(
        keys(&[("CONSTELLATION__ADMIN__APIKEYS__2", "x,y")]),
        json(r#"["a","b","x,y"]"#)
    );
    assert_eq!(
        keys(&[
            ("CONSTELLATION__ADMIN__APIKEYS__1", "y"),
            ("CONSTELLATION__ADMIN__APIKEYS", "x")
        ]),
        json(r#"["x","y"]"#)
    );
    let gap = with_environment(file, &[("CONSTELLATION__ADMIN__APIKEYS__3", "x")]);
    assert_eq!(
        faults(&gap),
        [
            "environment variable CONSTELLATION__ADMIN__APIKEYS__3: Admin.ApiKeys.3 would leave a \
          gap; the list has 2 entries"
        ]
    );
}

#[test]
fn rules_are_replaced_whole_or_one_by_one_and_checked_together() {
    let rule = |path: &str| format!(r#"{{"Pattern":"{path}/**","Key":"{path}"}}"#);
    let (a, b, c) = (rule("/a"), rule("/b"), rule("/c"));
    let file = format!(r#"{{ "Routes": [{a}, {b}] }}"#);
    let routes = |variables: &[(&str, &str)]| {
        let collected = with_environment(&file, variables);
        assert_eq!(faults(&collected), [""; 0]);
        value(&collected, "Routes")
    };
    let list = |rules: &[&String]| {
        let rules: Vec<_> = rules.iter().map(|rule| rule.as_str()).collect();
        json(&format!("[{}]", rules.join(",")))
    };
    assert_eq!(routes(&[]), list(&[&a, &b]));
    assert_eq!(routes(&[("CONSTELLATION__ROUTES", "[]")]), json("[]"));
    assert_eq!(
        routes(&[("CONSTELLATION__ROUTES", &format!("[{c}]"))]),
        list(&[&c])
    );
    assert_eq!(routes(&[("CONSTELLATION__ROUTES__1", &c)]), list(&[&a, &c]));
    assert_eq!(
        routes(&[("CONSTELLATION__routes__2", &c)]),
        list(&[&a, &b, &c])
    );
    let wrong = with_environment(
        &file,
        &[
            ("CONSTELLATION__ROUTES__0__KEY", "/k"),
            ("CONSTELLATION__ROUTES__1", &a),
            ("CONSTELLATION__ROUTES__2", "/c/** /c"),
        ],
    );
    assert_eq!(
        faults(&wrong),
        [
            "environment variable CONSTELLATION__ROUTES__1: Routes.1.Pattern is \"/a/**\", which \
             never applies: Routes.0.Pattern, which is \"/a/**\", comes first and matches all of \
             its paths; put it before that one or leave it out",
            "environment variable CONSTELLATION__ROUTES__2: Routes.2 is \"/c/** /c\"; allowed is \
             an object with the texts Pattern and Key",
            "environment variable CONSTELLATION__ROUTES__0__KEY: ROUTES.0.KEY is not a known \
             setting; Routes has entries 0, 1, 2 and so on, each set whole",
        ]
    );
}

#[test]
fn one_header_is_replaced_or_added_without_touching_the_others() {
    let file =
        r#"{ "Webserver": { "Headers": { "DefaultHeaders": { "X-A": "1", "X-B": "2" } } } }"#;
    let path = "Webserver.Headers.DefaultHeaders";
    let collected = with_flags(
        file,
        &[
            ("Webserver.Headers.DefaultHeaders.x-a", "3"),
            ("Webserver.Headers.DefaultHeaders.X.C", "4"),
        ],
    );
    assert_eq!(faults(&collected), [""; 0]);
    assert_eq!(
        value(&collected, path),
        json(r#"{ "X-A": "3", "X-B": "2", "X.C": "4" }"#)
    );
    assert_eq!(value(&with_flags(file, &[(path, "{}")]), path), json("{}"));
}

#[test]
fn one_member_by_two_variables_or_two_flags_is_refused() {
    let twice = [("Webserver.Port", "1"), ("Webserver.Port", "2")];
    assert_eq!(
        faults(&with_flags("{}", &twice)),
        ["flag --set: Webserver.Port is given more than once"]
    );
    let twice = [
        ("CONSTELLATION__PROXY__TIMEOUTMS", "1000"),
        ("CONSTELLATION__proxy__TimeoutMs", "1"),
    ];
    let collected = with_environment("{}", &twice);
    assert_eq!(collected.faults.len(), 1);
    assert_eq!(collected.faults[0].problem, Problem::Twice);
}

#[test]
fn no_message_repeats_a_secret() {
    let secret = "hunter2";
    let file = r#"{ "Websocket": { "Tokens": ["hunter2"] }, "Admin": { "ApiKeys": "hunter2",
                    "ApiKey": "hunter2" }, "Webserver": { "Ssl": {
                    "PfxCertificatePassword": "hunter2" } } }"#;
    let mut collected = with_environment(
        file,
        &[
            ("CONSTELLATION__WEBSOCKET__TOKENS", "hunter2"),
            ("CONSTELLATION__WEBSOCKET__TOKENS__0", "hunter2"),
            ("CONSTELLATION__ADMIN__APIKEY", "hunter2"),
            (
                "CONSTELLATION__WEBSERVER__SSL__PFXCERTIFICATEPASSWORD",
                "hunter2",
            ),
        ],
    );
    collected.add_overrides(&[Override::flag(
        "--set",
        "Admin.ApiKeys.7",
        secret.to_owned(),
    )]);
    assert_eq!((collected.faults.len(), collected.warnings.len()), (7, 2));
    for message in faults(&collected).into_iter().chain(warnings(&collected)) {
        assert!(!message.contains(secret), "{message}");
    }
}

/// The file that the original writes and ships for its container, with TLS off.
const ORIGINAL: &str = r#"{
    "Webserver": {
        "Hostname": "*", "Port": 8000,
        "IO": { "StreamBufferSize": 65536, "MaxRequests": 1024, "EnableKeepAlive": false },
        "Ssl": { "Enable": false, "MutuallyAuthenticate": false,
                 "AcceptInvalidAcertificates": true },
        "Headers": { "IncludeContentLength": true, "DefaultHeaders": {
            "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "",
            "Connection": "close", "Host": "localhost:8000" } },
        "AccessControl": { "DenyList": {}, "PermitList": {}, "Mode": "DefaultPermit" },
        "Debug": { "AccessControl": false, "Routing": false }
    },
    "Websocket": { "Hostnames": ["*"], "Port": 8001, "Ssl": false },
    "Admin": { "ApiKeyHeader": "x-api-key", "ApiKeys": ["constellationadmin"] },
    "Heartbeat": { "IntervalMs": 2000, "MaxFailures": 5 },
    "Proxy": { "TimeoutMs": 30000, "ResponseRetentionMs": 30000 },
    "Logging": { "Servers": [{ "Hostname": "127.0.0.1", "Port": 514, "IpPort": "127.0.0.1:514" }],
                 "LogDirectory": "./logs/", "LogFilename": "./constellation.log",
                 "ConsoleLogging": true, "EnableColors": true, "MinimumSeverity": 0 },
    "Telemetry": { "Enable": true, "PrometheusPort": 9464, "LokiTenantId": null }
}"#;

#[test]
fn a_file_of_the_original_is_accepted_with_a_warning_for_each_member_without_effect() {
    let collected = from_file(ORIGINAL);
    assert_eq!(faults(&collected), [""; 0]);
    let members: Vec<_> = collected
        .warnings
        .iter()
        .map(|warning| match warning {
            Warning::WithoutEffect { member, .. } => member.as_str(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(
        members,
        [
            "Webserver.IO",
            "Webserver.Ssl.MutuallyAuthenticate",
            "Webserver.Ssl.AcceptInvalidAcertificates",
            "Webserver.Headers.IncludeContentLength",
            "Webserver.Debug",
            "Proxy.ResponseRetentionMs",
            "Logging.Servers",
            "Telemetry",
        ]
    );
}
