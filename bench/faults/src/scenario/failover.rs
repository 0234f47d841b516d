//! Kills the owner of a key, and waits for the next owner's first answer.

use std::time::Duration;

use super::Findings;
use crate::{
    clock::now,
    fault::Kind,
    history::{Answer, OperationKind},
    inject::{Applied, target},
    names::Key,
    report::Spread,
    run::{Run, RunError},
};

/// # Errors
///
/// When a worker does not end or come back.
pub(super) async fn measure(
    run: &Run,
    failures: usize,
    findings: &mut Findings,
) -> Result<Vec<Applied>, RunError> {
    let (mut applied, mut waits) = (Vec::new(), Vec::new());
    let injector = run.injector();
    let mut client = injector.client();
    for number in 0..failures {
        let key = Key(u32::try_from(number).unwrap_or(0) % run.cluster.setup.keys);
        client.ask(OperationKind::Write, key, "").await;
        let Some(index) = injector.seat_of(client.worker()).await else {
            continue;
        };
        let mut seat = run.cluster.seat(index).await;
        let (from, target) = (now(), target(&seat));
        seat.kill().await?;
        while !matches!(
            client.ask(OperationKind::Read, key, "").await,
            Answer::Done { .. }
        ) {}
        let to = now();
        waits.push(to.since(from));
        applied.push(Applied {
            kind: Kind::Kill,
            from,
            to,
            target,
            hit: true,
        });
        seat.start(run.cluster.next_process())?;
        seat.is_welcome().await?;
        // The other keys of the worker that was killed get their next owner too.
        drop(seat);
        run.recovered().await;
    }
    let ttl = if run.cluster.setup.reassign {
        Duration::ZERO
    } else {
        run.cluster.setup.ttl()
    };
    if let Some(Spread { p50, p99, .. }) = Spread::of(waits) {
        let ttl = ttl.as_secs_f64() * 1_000.0;
        findings.figure("first answer after the loss, p50 ms", p50);
        findings.figure("first answer after the loss, p99 ms", p99);
        findings.figure("beyond the lease, p50 ms", p50 - ttl);
        findings.figure("beyond the lease, p99 ms", p99 - ttl);
    }
    Ok(applied)
}
