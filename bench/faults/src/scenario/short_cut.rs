//! Cuts one worker after the other off, for less than its lease.

use std::time::Duration;

use tokio::time::sleep;

use super::Findings;
use crate::{
    clock::now,
    cluster::proxy::Flow,
    fault::Kind,
    inject::{Applied, target},
    report::Report,
    run::Run,
};

/// How long nothing flows.
const CUT: Duration = Duration::from_secs(2);

/// How long everything flows between two cuts: until each worker has renewed its lease.
const BETWEEN: Duration = Duration::from_millis(1_500);

pub(super) async fn measure(run: &Run, cuts: usize) -> Vec<Applied> {
    let mut applied = Vec::new();
    // Every key gets its owner before the first cut.
    run.recovered().await;
    for number in 0..cuts {
        sleep(BETWEEN).await;
        let seat = run.cluster.seat(number).await;
        let from = now();
        seat.proxy.set(Flow::Stalled, Flow::Stalled);
        sleep(CUT).await;
        seat.proxy.set(Flow::Open, Flow::Open);
        applied.push(Applied {
            kind: Kind::CutShort,
            from,
            to: now(),
            target: target(&seat),
            hit: true,
        });
    }
    applied
}

/// Every key had one owner from the beginning to the end.
pub(super) fn demand_no_move(report: &Report, findings: &mut Findings) {
    let keys = report.longest_gap_ms.len();
    let moved = report.ownerships.saturating_sub(keys);
    findings.figure("keys moved", moved as f64);
    findings.demand(moved == 0, || format!("{moved} keys moved"));
}
