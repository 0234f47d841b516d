//! What every test run explores, and the defects that the exploration finds.

use stateright::{Checker, HasDiscoveries, Model};

use super::{Cluster, state::Budget};
use crate::mutation::Mutation;

/// One request, four ticks: long enough for a lease to end and its key to move.
const FEW: Budget = Budget {
    ticks: 4,
    requests: [1, 0],
    moves: 0,
    worker_crashes: 0,
    controller_crashes: 0,
    crashes: 0,
    pauses: 0,
    losses: 0,
    dials: 2,
    late: 0,
    is_eager: false,
};

/// Explores every state and tells how many there are. `shown` has to be reached in some.
fn explore(name: &str, budget: Budget, placed: bool, shown: &[&'static str]) -> usize {
    let cluster = Cluster {
        budget,
        placed,
        mutation: None,
    };
    let checker = cluster.checker().spawn_dfs().join();
    let states = checker.unique_state_count();
    println!(
        "{name}: {states} states, of {} reached",
        checker.state_count()
    );
    assert!(checker.is_done(), "{name} is explored to the end");
    for invariant in [
        "one_holder",
        "epochs_rise",
        "durable_first",
        "no_stale_answer",
    ] {
        checker.assert_no_discovery(invariant);
    }
    for property in shown {
        checker.assert_any_discovery(property);
    }
    states
}

/// Looks for a way to break `invariant` with a defect.
fn is_found(mutation: Mutation, invariant: &'static str, budget: Budget, placed: bool) {
    let cluster = Cluster {
        budget,
        placed,
        mutation: Some(mutation),
    };
    let wanted = HasDiscoveries::AllOf([invariant].into());
    let checker = cluster.checker().finish_when(wanted).spawn_bfs().join();
    let path = checker.assert_any_discovery(invariant);
    println!("{mutation}: {:?}", path.into_actions());
}

#[test]
fn the_model_keeps_the_invariants_in_every_reachable_state() {
    let begin = Budget {
        requests: [1, 1],
        ticks: 2,
        ..FEW
    };
    let move_ = Budget { moves: 1, ..FEW };
    let crash = Budget {
        worker_crashes: 1,
        ..FEW
    };
    let restart = Budget {
        controller_crashes: 1,
        ..FEW
    };
    let pause = Budget { pauses: 1, ..FEW };
    let loss = Budget { losses: 1, ..FEW };
    let late = Budget { late: 1, ..FEW };
    let states = [
        explore("first requests", begin, false, &[]),
        explore("a move", move_, true, &["planned_move"]),
        explore("a crash", crash, true, &["moved_after_crash"]),
        explore("a restart", restart, true, &["resumed"]),
        explore("a pause", pause, true, &["late_answer", "resumed"]),
        explore("a loss", loss, true, &["resumed"]),
        explore("a late clock", late, true, &[]),
    ];
    assert!(states.iter().all(|states| *states > 500), "{states:?}");
}

#[test]
fn the_model_survives_a_crash_a_pause_and_a_loss_together() {
    let all = Budget {
        ticks: 3,
        requests: [0, 0],
        dials: 1,
        crashes: 1,
        pauses: 1,
        losses: 1,
        is_eager: true,
        ..FEW
    };
    explore("everything", all, true, &["resumed"]);
}

#[test]
fn an_epoch_that_is_not_raised_is_found() {
    let crash = Budget {
        worker_crashes: 1,
        ..FEW
    };
    is_found(Mutation::EpochNotRaised, "epochs_rise", crash, true);
}

#[test]
fn a_pin_that_is_published_too_early_is_found() {
    let mutation = Mutation::PublishedBeforeDurable;
    is_found(mutation, "durable_first", FEW, false);
}

#[test]
fn a_release_that_is_not_awaited_is_found() {
    let ordered = Budget { moves: 1, ..FEW };
    is_found(Mutation::ReleaseNotAwaited, "one_holder", ordered, true);
}

#[test]
fn a_lease_without_a_margin_is_found() {
    let late = Budget {
        losses: 1,
        late: 1,
        ..FEW
    };
    is_found(Mutation::NoMargin, "one_holder", late, true);
}

#[test]
fn a_restart_that_waits_for_nobody_is_found() {
    let restart = Budget {
        controller_crashes: 1,
        ..FEW
    };
    is_found(Mutation::RestartWithoutWaiting, "one_holder", restart, true);
}
