//! Runs of the simulation that every test run makes, and what each deliberate defect breaks.

use std::ops::Range;

use super::{replay, run};
use crate::mutation::Mutation::{self, *};

/// Each defect, a seed whose run shows it, and the invariant that it breaks there. A change that
/// draws other random numbers moves them: `simulate --mutation NAME` finds others.
const FOUND: [(Mutation, u64, &str); 17] = [
    (NoMargin, 12, "invariant_one_holder"),
    (LeaseFromAcknowledgement, 88, "invariant_one_holder"),
    (EpochNotRaised, 0, "invariant_epochs_rise"),
    (PublishedBeforeDurable, 0, "invariant_durable_first"),
    (EpochOfHoldingUnchecked, 20_008, "invariant_epochs_rise"),
    (IncarnationIgnored, 5, "invariant_epochs_rise"),
    (ReleaseNotAwaited, 1, "invariant_one_holder"),
    (UnnamedIsReleased, 47, "invariant_one_holder"),
    (UnconfirmedKept, 648, "invariant_one_holder"),
    (RestartWithoutWaiting, 29, "invariant_one_holder"),
    (NoGrace, 0, "invariant_one_holder"),
    (LeaseEndUnnoticed, 0, "invariant_one_holder"),
    (WaitingUnbounded, 0, "invariant_bounded"),
    (SuspendedForEver, 1, "invariant_it_recovers"),
    (StaleAnswerPassed, 246, "invariant_no_stale_answer"),
    (UnsafeRepeated, 0, "invariant_nothing_silently_repeated"),
    (BegunIsRefused, 3, "invariant_nothing_silently_repeated"),
];

#[track_caller]
fn all_hold(seeds: Range<u64>) {
    for seed in seeds {
        if run(seed, None).is_err() {
            let failure = replay(seed, None).expect_err("a seed is one run");
            panic!("{failure}");
        }
    }
}

#[test]
fn the_invariants_hold_over_random_histories() {
    all_hold(0..1_000);
}

#[test]
fn the_invariants_hold_over_other_random_histories() {
    all_hold(1_000..2_000);
}

#[test]
fn a_seed_is_one_run_to_the_last_event() {
    for seed in 0..20 {
        assert_eq!(replay(seed, None).unwrap(), replay(seed, None).unwrap());
    }
    assert_ne!(replay(1, None).unwrap().1, replay(2, None).unwrap().1);
}

#[test]
fn every_defect_breaks_an_invariant_that_holds_without_it() {
    let tried = FOUND.map(|(mutation, ..)| mutation);
    assert_eq!(tried.as_slice(), Mutation::ALL);
    for (mutation, seed, invariant) in FOUND {
        run(seed, None).unwrap();
        let failure = run(seed, Some(mutation)).expect_err(&format!("{mutation} shows"));
        assert_eq!(failure.violation.invariant, invariant, "{mutation}");
    }
}

#[test]
fn a_failure_comes_with_its_seed_and_all_that_happened_before() {
    let failure = replay(1, Some(ReleaseNotAwaited)).unwrap_err();
    let text = failure.to_string();
    assert!(text.lines().count() > 400, "{text}");
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with("SEED=1 broke invariant_one_holder at step 405: "),
        "{last}"
    );
}
