//! What becomes a goal, and when it is met.

use super::*;
use crate::{figure::Figure, plan::Findings, report::Report};

const SMALL: Case = Case::Small {
    threads: 1,
    connections: 64,
};

fn goals(figures: &[(Case, Peer, Measure, f64)]) -> Vec<Goal> {
    let figures = figures.iter().map(|(case, peer, measure, value)| Figure {
        case: *case,
        peer: *peer,
        measure: *measure,
        value: *value,
    });
    let findings = Findings {
        figures: figures.collect(),
        ..Findings::default()
    };
    of(&Report::of(findings).cases)
}

fn rates(constellation: f64, nginx: f64, haproxy: f64) -> Vec<Goal> {
    let rate = Measure::RequestsPerSecond;
    goals(&[
        (SMALL, Peer::Constellation, rate, constellation),
        (SMALL, Peer::Nginx, rate, nginx),
        (SMALL, Peer::Haproxy, rate, haproxy),
    ])
}

fn scale(pins: u64) -> Case {
    let store = Store::Memory;
    Case::Scale { store, pins }
}

#[test]
fn a_rate_is_compared_with_the_higher_one() {
    let found = rates(160.0, 100.0, 50.0);
    assert_eq!(found.len(), 1);
    assert!(found[0].is_met && found[0].value == 1.6, "{found:?}");
    assert!(!rates(159.0, 100.0, 50.0)[0].is_met);
    assert!(!rates(160.0, 50.0, 101.0)[0].is_met);
}

#[test]
fn a_time_is_compared_with_the_shorter_one() {
    let case = Case::Open { threads: 1 };
    let times = |constellation| {
        goals(&[
            (case, Peer::Constellation, Measure::P99Micros, constellation),
            (case, Peer::Nginx, Measure::P99Micros, 10.0),
            (case, Peer::Haproxy, Measure::P99Micros, 20.0),
        ])
    };
    assert!(times(10.0)[0].is_met);
    assert!(!times(10.1)[0].is_met);
}

#[test]
fn what_was_not_measured_is_no_goal() {
    let rate = Measure::RequestsPerSecond;
    assert_eq!(goals(&[]), []);
    assert_eq!(
        goals(&[
            (SMALL, Peer::Constellation, rate, 9.0),
            (SMALL, Peer::Nginx, rate, 1.0)
        ]),
        [],
        "the better of two is not known"
    );
    let two_threads = Case::Websockets { threads: 2 };
    let all = [Peer::Constellation, Peer::Nginx, Peer::Haproxy];
    let figures = all.map(|peer| (two_threads, peer, Measure::MessagesPerSecond, 1.0));
    assert_eq!(goals(&figures), []);
}

#[test]
fn memory_is_limited_as_it_is() {
    let case = Case::Tunnels { count: 7 };
    let found = goals(&[
        (case, Peer::Constellation, Measure::ProxyIdleMib, 20.0),
        (case, Peer::Constellation, Measure::ProxyKibPerTunnel, 16.1),
        (
            scale(1_000_000),
            Peer::Constellation,
            Measure::ProxyMib,
            320.0,
        ),
    ]);
    let met: Vec<_> = found.iter().map(|goal| (goal.unit, goal.is_met)).collect();
    assert_eq!(met, [("MiB", true), ("KiB", false), ("MiB", true)]);
}

#[test]
fn the_most_pins_are_compared_with_a_thousand() {
    let rate = Measure::RequestsPerSecond;
    let of = |pins, value| (scale(pins), Peer::Constellation, rate, value);
    let found = goals(&[of(1_000, 100.0), of(100_000, 10.0), of(10_000_000, 90.0)]);
    assert_eq!(found.len(), 1);
    assert!(found[0].is_met && found[0].what.contains("10000000"));
    assert_eq!(goals(&[of(1_000, 100.0)]), []);
    assert_eq!(goals(&[of(100_000, 100.0)]), []);
}

#[test]
fn programs_read_the_demand_by_its_name() {
    let json = serde_json::to_value(&rates(160.0, 100.0, 50.0)[0]).unwrap();
    assert_eq!(json["at_least"], 1.6);
    assert_eq!(json["is_met"], true);
    assert_eq!(json["unit"], "x");
}
