//! Moves keys by plan, one after the other, under load.

use super::Findings;
use crate::{
    clock::now,
    fault::Kind,
    inject::{Applied, Target},
    names::Key,
    random::Random,
    run::Run,
};

pub(super) async fn measure(
    run: &Run,
    moves: usize,
    seed: u64,
    findings: &mut Findings,
) -> Vec<Applied> {
    let injector = run.injector();
    let mut random = Random::new(seed, 2);
    let mut applied = Vec::new();
    run.recovered().await;
    for _ in 0..moves {
        let below = random.below(run.cluster.setup.keys as usize);
        let key = Key(u32::try_from(below).unwrap_or(0));
        let from = now();
        let seat = random.below(run.cluster.seats());
        let hit = injector.move_key(key, seat).await;
        applied.push(Applied {
            kind: Kind::Move,
            from,
            to: now(),
            target: Target::Key(key),
            hit,
        });
    }
    let moved = applied.iter().filter(|applied| applied.hit).count();
    findings.figure("keys moved", moved as f64);
    findings.demand(moved > 0, || "no key was moved".into());
    applied
}
