//! Drains and restarts every worker, over and over, until enough requests are done.

use super::Findings;
use crate::{
    clock::now,
    fault::Kind,
    inject::{Applied, Target},
    run::{Run, RunError},
};

/// # Errors
///
/// When a worker does not end or come back.
pub(super) async fn measure(
    run: &Run,
    requests: usize,
    findings: &mut Findings,
) -> Result<Vec<Applied>, RunError> {
    let injector = run.injector();
    let mut rounds = Vec::new();
    while rounds.is_empty() || run.history.count() < requests {
        let from = now();
        injector.drain_all().await?;
        rounds.push(Applied {
            kind: Kind::RollingDrain,
            from,
            to: now(),
            target: Target::All,
            hit: true,
        });
    }
    let drained = rounds.len() * run.cluster.seats();
    findings.figure("workers drained", drained as f64);
    Ok(rounds)
}
