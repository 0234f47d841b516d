//! Kills the controller with many pins, starts it again, and compares all of them.

use std::time::Duration;

use tokio::time::sleep;

use super::{Findings, pins};
use crate::{
    clock::now,
    fault::Kind,
    inject::{Applied, Target},
    load::Connection,
    report::milliseconds,
    run::{Run, RunError},
};

/// How often to ask for the first key.
const INTERVAL: Duration = Duration::from_millis(2);

/// # Errors
///
/// When the controller does not come back.
pub(super) async fn measure(
    run: &Run,
    count: usize,
    findings: &mut Findings,
) -> Result<Vec<Applied>, RunError> {
    let port = run.cluster.port();
    let begun = now();
    let before = pins::owners(port, count).await;
    findings.figure("pinning, ms", milliseconds(now().since(begun)));
    let pinned = before.iter().flatten().count();
    findings.figure("pins", pinned as f64);
    findings.demand(pinned == count, || {
        format!("{} keys were not pinned", count - pinned)
    });

    let from = now();
    let mut controller = run.cluster.controller().await;
    controller.kill().await?;
    let started = now();
    controller.start_again().await?;
    findings.figure("listening after, ms", milliseconds(now().since(started)));
    let mut connection = Connection::new(port);
    while pins::owner(&mut connection, 0).await.is_none() {
        sleep(INTERVAL).await;
    }
    let to = now();
    findings.figure("first answer after, ms", milliseconds(to.since(started)));

    let after = pins::owners(port, count).await;
    findings.figure("asking for all again, ms", milliseconds(now().since(to)));
    let pairs = before.iter().zip(&after);
    let kept = pairs.filter(|(before, after)| before == after).count();
    findings.figure("pins kept with worker and epoch", kept as f64);
    findings.demand(kept == count, || {
        format!("{} of {count} pins changed", count - kept)
    });
    Ok(vec![Applied {
        kind: Kind::ControllerKill,
        from,
        to,
        target: Target::All,
        hit: true,
    }])
}
