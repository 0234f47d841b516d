//! Claims about planned changes: hand-overs, drains, idle keys, balance, and a start with a memory.

use std::collections::BTreeSet;

use super::*;
use crate::placement::{
    command::Obstacle,
    history::Ending,
    input::{Restored, RestoredPin, Use},
    key_rules::KeyRules,
    rules::{Balance, Idleness, Rebalancing},
};

fn worker(number: u128) -> WorkerId {
    WorkerId::new(Uuid::from_u128(number))
}

fn to(path: &str, target: u128) -> Command {
    Command::Move {
        key: key(path),
        to: Some(worker(target)),
    }
}

fn revoked(effects: &[Effect]) -> Vec<(String, Revocation)> {
    let revocations = effects.iter().filter_map(|effect| match effect {
        Effect::Revoke { key, reason, .. } => Some((key.to_string(), *reason)),
        _ => None,
    });
    revocations.collect()
}

impl Bench {
    fn order_with_effects(&mut self, command: Command) -> Vec<Effect> {
        let order = OrderId::new(1);
        self.input(Input::Ordered { order, command })
    }

    /// Releases every key that `effects` ask for, and what is asked for because of that.
    fn obey(&mut self, effects: &[Effect]) -> usize {
        let mut asked: Vec<_> = effects.to_vec();
        let mut released = 0;
        while let Some(effect) = asked.pop() {
            if let Effect::Revoke {
                session,
                key,
                epoch,
                ..
            } = effect
            {
                released += 1;
                asked.extend(self.release(session, &key, epoch));
            }
        }
        released
    }
}

#[test]
fn a_moved_key_is_frozen_released_and_only_then_given_on_under_a_higher_epoch() {
    let mut bench = Bench::new(Rules::default());
    let first = bench.worker(1);
    let (_, before) = bench.owner("/a");
    bench.worker(2);
    let effects = bench.order_with_effects(to("/a", 2));
    assert_eq!(revoked(&effects), [("/a".to_owned(), Revocation::Move)]);
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Freeze { .. }))
    );
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Withdraw { .. } | Effect::Claim(_))),
        "answers of running requests stay in force, and nobody else owns the key: {effects:?}"
    );
    assert_eq!(routed(&bench.resolve("/a")), None, "new requests wait");
    let effects = bench.release(first, "/a", before);
    let owner = routed(&effects).expect("the request that waited goes to the next owner");
    assert!(owner.epoch > before);
    assert_eq!(bench.owner("/a"), (2, owner.epoch));
    let past: Vec<_> = bench.placement.history("/a").cloned().collect();
    assert_eq!(past.len(), 1);
    assert_eq!((past[0].epoch, past[0].ending), (before, Ending::Moved));
}

#[test]
fn a_release_of_the_workers_own_accord_counts_once_nothing_can_have_crossed_it() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    let (_, epoch) = bench.owner("/a");
    bench.worker(2);
    let effects = bench.release(session, "/a", epoch);
    assert_eq!(revoked(&effects), [("/a".to_owned(), Revocation::Move)]);
    assert_eq!(
        routed(&bench.resolve("/a")),
        None,
        "a grant may have crossed the release"
    );
    let effects = bench.release(session, "/a", epoch);
    assert!(routed(&effects).is_some_and(|owner| owner.epoch > epoch));
    let past: Vec<_> = bench
        .placement
        .history("/a")
        .map(|past| past.ending)
        .collect();
    assert_eq!(past, [Ending::Released]);
}

#[test]
fn a_move_whose_owner_never_answers_ends_with_its_lease() {
    let mut bench = Bench::new(Rules::default());
    let silent = bench.worker(1);
    let (_, before) = bench.owner("/a");
    bench.pass(4_000);
    bench.worker(2);
    bench.order(to("/a", 2)).unwrap();
    bench.resolve("/a");
    let effects = bench.pass(1_999);
    assert_eq!(routed(&effects), None, "the lease of the owner runs");
    bench.release(silent, "/a", Epoch::new(before.get() + 5));
    let effects = bench.pass(1);
    assert!(routed(&effects).is_some_and(|owner| owner.epoch > before));
    assert_eq!(bench.owner("/a").0, 2);
}

#[test]
fn an_owner_that_takes_too_long_to_let_go_is_told_to_stop_at_once() {
    let mut bench = Bench::new(Rules {
        handover_patience: Duration::from_secs(1),
        ..Rules::default()
    });
    let session = bench.worker(1);
    bench.owner("/a");
    bench.worker(2);
    bench.order(to("/a", 2)).unwrap();
    bench.pass(999);
    bench.renew(session);
    assert_eq!(
        revoked(&bench.pass(1)),
        [("/a".to_owned(), Revocation::Stale)]
    );
    bench.renew(session);
    assert_eq!(revoked(&bench.pass(1_000)), [], "once is enough");
    assert_eq!(
        routed(&bench.resolve("/a")),
        None,
        "and still nobody else owns it"
    );
}

#[test]
fn a_worker_that_comes_back_is_asked_again_for_what_it_was_asked_for() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    let (_, kept) = bench.owner("/kept");
    let (_, unnamed) = bench.owner("/unnamed");
    bench.worker(2);
    bench.order(to("/kept", 2)).unwrap();
    bench.order(to("/unnamed", 2)).unwrap();
    bench.input(Input::Left {
        session,
        departure: Departure::Vanished,
    });
    bench.last_session += 1;
    let again = SessionId::new(bench.last_session);
    let effects = bench.input(Input::Arrived(Box::new(Arrival {
        session: again,
        worker: worker(1),
        incarnation: Incarnation::new(Uuid::from_u128(1)),
        profile: Profile::default(),
        assurance: Assurance::Leased,
        holding: vec![(key("/kept"), kept)],
    })));
    assert_eq!(
        revoked(&effects),
        [
            ("/kept".to_owned(), Revocation::Move),
            ("/unnamed".to_owned(), Revocation::Move)
        ]
    );
    assert_eq!(
        routed(&bench.resolve("/unnamed")),
        None,
        "word of its release may have been lost, or it is being closed after the lease's end"
    );
    bench.release(again, "/unnamed", unnamed);
    assert_eq!(bench.owner("/unnamed").0, 2);
    bench.release(again, "/kept", kept);
    assert_eq!(bench.owner("/kept").0, 2);
}

#[test]
fn a_move_goes_to_somebody_else_when_its_target_is_lost_meanwhile() {
    let mut bench = Bench::new(Rules::default());
    let first = bench.worker(1);
    let (_, epoch) = bench.owner("/a");
    let second = bench.worker(2);
    bench.worker(3);
    bench.order(to("/a", 2)).unwrap();
    bench.input(Input::Left {
        session: second,
        departure: Departure::Goodbye,
    });
    bench.release(first, "/a", epoch);
    assert_eq!(bench.owner("/a").0, 3);
}

#[test]
fn an_order_that_cannot_be_carried_out_says_why_and_changes_nothing() {
    let mut bench = Bench::new(Rules::default());
    bench.worker(1);
    bench.owner("/a");
    let refused = |bench: &mut Bench, command| bench.order(command).unwrap_err().to_string();
    assert!(refused(&mut bench, to("/b", 1)).contains("nobody owns /b"));
    assert!(refused(&mut bench, to("/a", 1)).contains("already"));
    assert!(refused(&mut bench, to("/a", 7)).contains("no worker"));
    let anyone = Command::Move {
        key: key("/a"),
        to: None,
    };
    assert!(refused(&mut bench, anyone).contains("no other worker"));
    bench.arrive(2, |arrival| {
        arrival.profile.serves = vec![Pattern::parse("/b/**").unwrap()];
    });
    assert_eq!(
        bench.order(to("/a", 2)),
        Err(CommandError::NotEligible {
            key: key("/a"),
            worker: worker(2),
            obstacle: Obstacle::NotServed
        })
    );
    let lost = Command::Drain { worker: worker(9) };
    assert!(refused(&mut bench, lost).contains("no worker"));
    assert_eq!(bench.owner("/a").0, 1);
}

#[test]
fn a_drain_moves_every_key_a_few_at_a_time() {
    let mut bench = Bench::new(Rules {
        drain_parallel: 3,
        ..Rules::default()
    });
    bench.worker(1);
    let paths: Vec<_> = (0..10).map(|number| format!("/{number}")).collect();
    for path in &paths {
        bench.owner(path);
    }
    bench.worker(2);
    let effects = bench.order_with_effects(Command::Drain { worker: worker(1) });
    assert_eq!(revoked(&effects).len(), 3);
    let (_, holder) = bench.placement.holders().next().unwrap();
    assert_eq!((holder.leaving(), holder.drain().unwrap().total), (3, 10));
    assert_eq!(bench.obey(&effects), 10);
    for path in &paths {
        assert_eq!(bench.owner(path).0, 2);
    }
    let (_, holder) = bench.placement.holders().next().unwrap();
    assert!(holder.grants().is_empty() && holder.is_cordoned());
}

#[test]
fn a_worker_that_wants_to_go_is_drained_while_it_goes_on() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    bench.owner("/a");
    bench.worker(2);
    let effects = bench.input(Input::Cordoned { session });
    assert_eq!(revoked(&effects), [("/a".to_owned(), Revocation::Drain)]);
    assert_eq!(bench.obey(&effects), 1);
    assert_eq!(bench.owner("/a").0, 2);
}

#[test]
fn a_claim_that_is_confirmed_during_a_drain_is_moved_as_well() {
    let mut bench = Bench::new(Rules::default());
    bench.store_answers = false;
    bench.worker(1);
    let (claim, _) = claimed(&bench.resolve("/a"))[0];
    bench.order(Command::Drain { worker: worker(1) }).unwrap();
    let effects = bench.input(Input::Stored {
        claim,
        outcome: Ok(()),
    });
    assert_eq!(revoked(&effects), [("/a".to_owned(), Revocation::Drain)]);
}

#[test]
fn a_cordon_outlives_connections_and_incarnations() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    bench.order(Command::Cordon { worker: worker(1) }).unwrap();
    bench.input(Input::Left {
        session,
        departure: Departure::Goodbye,
    });
    bench.arrive(1, |arrival| {
        arrival.incarnation = Incarnation::new(Uuid::from_u128(99));
    });
    assert_eq!(rejected(&bench.resolve("/a")), Some(Rejection::NoWorker));
    bench
        .order(Command::Uncordon { worker: worker(1) })
        .unwrap();
    assert_eq!(bench.owner("/a").0, 1);
}

#[test]
fn a_worker_without_a_lease_hands_over_when_its_requests_are_done() {
    let mut bench = Bench::new(Rules::default());
    bench.arrive(1, |arrival| arrival.assurance = Assurance::BestEffort);
    let (_, epoch) = bench.owner("/a");
    bench.worker(2);
    let effects = bench.order_with_effects(to("/a", 2));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::AwaitQuiet { .. }))
    );
    assert_eq!(routed(&bench.resolve("/a")), None);
    bench.input(Input::Quiet {
        key: key("/a"),
        epoch,
    });
    assert_eq!(bench.owner("/a").0, 2);
}

#[test]
fn an_unpinned_key_has_no_owner_until_it_is_asked_for() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    let (_, epoch) = bench.owner("/a");
    bench.order(Command::Unpin { key: key("/a") }).unwrap();
    let effects = bench.release(session, "/a", epoch);
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Forget { .. }))
    );
    assert_eq!(claimed(&effects), []);
    assert!(bench.placement.pin("/a").is_none());
    assert!(bench.owner("/a").1 > epoch);
}

fn idle_after_a_minute() -> Rules {
    Rules {
        idleness: Some(Idleness {
            after: Duration::from_secs(60),
            never: vec![Pattern::parse("/keep/**").unwrap()],
        }),
        ..Rules::default()
    }
}

/// Lets time pass in steps, keeps the worker's lease, and answers how the keys were used.
fn idle_for(
    bench: &mut Bench,
    session: SessionId,
    seconds: u64,
    last: impl Fn(&Bench, &str) -> Moment,
) -> Vec<String> {
    let mut released = Vec::new();
    for _ in 0..seconds * 2 {
        bench.renew(session);
        let effects = bench.pass(500);
        let asked = effects.iter().filter_map(|effect| match effect {
            Effect::AskUse(keys) => Some(keys.clone()),
            _ => None,
        });
        let uses: Vec<_> = asked
            .flatten()
            .map(|(key, epoch)| Use {
                last: last(bench, &key),
                key,
                epoch,
            })
            .collect();
        let effects = bench.input(Input::Used(uses));
        released.extend(revoked(&effects).into_iter().map(|(key, _)| key));
        bench.obey(&effects);
    }
    released
}

#[test]
fn a_key_that_nobody_uses_is_released_and_one_in_use_is_not() {
    let mut bench = Bench::new(idle_after_a_minute());
    let session = bench.worker(1);
    for path in ["/idle", "/busy", "/keep/this"] {
        bench.owner(path);
    }
    let last = |bench: &Bench, key: &str| match key {
        "/busy" => bench.now,
        _ => Moment::ZERO,
    };
    assert_eq!(idle_for(&mut bench, session, 59, last), [""; 0]);
    assert_eq!(idle_for(&mut bench, session, 17, last), ["/idle"]);
    assert_eq!(idle_for(&mut bench, session, 300, last), [""; 0]);
    assert!(bench.placement.pin("/idle").is_none());
    assert!(bench.placement.pin("/keep/this").is_some());
}

#[test]
fn rebalancing_moves_a_few_keys_a_round_until_the_difference_is_small() {
    let balance = Balance {
        interval: Duration::from_secs(10),
        budget: 2,
        gain_min: 2,
        cooldown: Duration::from_secs(3_600),
    };
    let mut bench = Bench::new(Rules {
        balance,
        ..Rules::default()
    });
    let first = bench.worker(1);
    for number in 0..8 {
        bench.owner(&format!("/{number}"));
    }
    let second = bench.worker(2);
    let mut rounds = Vec::new();
    let mut round = |bench: &mut Bench| {
        let mut moved = 0;
        for _ in 0..5 {
            bench.renew(first);
            bench.renew(second);
            let effects = bench.pass(2_000);
            moved += bench.obey(&effects);
        }
        rounds.push(moved);
    };
    round(&mut bench);
    bench.order(Command::Rebalance(Rebalancing::On)).unwrap();
    (0..3).for_each(|_| round(&mut bench));
    bench
        .order(Command::Rebalance(Rebalancing::Paused))
        .unwrap();
    round(&mut bench);
    assert_eq!(rounds, [0, 2, 2, 0, 0]);
    let keys: Vec<_> = bench
        .placement
        .holders()
        .map(|(_, it)| it.grants().len())
        .collect();
    assert_eq!(keys, [4, 4]);
}

#[test]
fn a_key_that_just_moved_rests() {
    let balance = Balance {
        interval: Duration::from_secs(1),
        budget: 10,
        gain_min: 2,
        cooldown: Duration::from_secs(60),
    };
    let mut bench = Bench::new(Rules {
        balance,
        rebalancing: Rebalancing::On,
        interval: Duration::from_secs(3_600),
        ..Rules::default()
    });
    bench.worker(1);
    for path in ["/a", "/b", "/c", "/d"] {
        bench.owner(path);
    }
    bench.worker(2);
    let effects = bench.pass(1_000);
    assert_eq!(bench.obey(&effects), 2);
    let effects = bench.order_with_effects(Command::Drain { worker: worker(1) });
    bench.obey(&effects);
    bench
        .order(Command::Uncordon { worker: worker(1) })
        .unwrap();
    let effects = bench.pass(1_000);
    assert_eq!(bench.obey(&effects), 0, "all four have just moved");
    let effects = bench.pass(60_000);
    assert_eq!(bench.obey(&effects), 2);
}

fn restored(path: &str, owner: u128, epoch: u64) -> RestoredPin {
    RestoredPin {
        key: key(path),
        worker: worker(owner),
        incarnation: Incarnation::new(Uuid::from_u128(owner)),
        epoch: Epoch::new(epoch),
    }
}

/// A placement that begins with the pins of workers 1 and 2.
fn reborn(lease_ms: u64) -> Bench {
    let mut bench = Bench::starting(
        Rules::default(),
        Start {
            first_epoch: Epoch::new(100),
            grace_until: None,
        },
    );
    bench.input(Input::Restored(Box::new(Restored {
        pins: vec![restored("/a", 1, 7), restored("/b", 2, 9)],
        lease: Duration::from_millis(lease_ms),
        cordoned: [worker(3)].into(),
    })));
    bench
}

#[test]
fn after_a_restart_every_pin_is_kept_for_the_worker_that_comes_back() {
    let mut bench = reborn(6_000);
    assert_eq!(
        routed(&bench.resolve("/a")),
        None,
        "its worker has a lease to come back"
    );
    bench.arrive(1, |arrival| {
        arrival.holding = vec![(key("/a"), Epoch::new(7)), (key("/x"), Epoch::new(8))];
    });
    assert_eq!(bench.owner("/a"), (1, Epoch::new(7)));
    assert_eq!(
        bench.owner("/new"),
        (1, Epoch::new(100)),
        "new keys are placed at once"
    );
    bench.pass(5_999);
    assert_eq!(routed(&bench.resolve("/b")), None);
    let effects = bench.pass(1);
    assert_eq!(
        routed(&effects),
        None,
        "worker 1 has missed its renewals as well"
    );
}

#[test]
fn after_a_restart_a_new_incarnation_gets_nothing_of_the_old_one() {
    let mut bench = reborn(6_000);
    let session = bench.arrive(1, |arrival| {
        arrival.incarnation = Incarnation::new(Uuid::from_u128(77));
        arrival.holding = vec![(key("/a"), Epoch::new(7))];
    });
    bench.pass(4_000);
    bench.renew(session);
    assert_eq!(routed(&bench.resolve("/a")), None);
    let effects = bench.pass(2_000);
    assert!(routed(&effects).is_some_and(|owner| owner.epoch >= Epoch::new(100)));
}

#[test]
fn after_a_restart_a_lease_that_was_longer_before_is_waited_for() {
    let mut bench = reborn(20_000);
    bench.arrive(5, |_| ());
    bench.resolve("/a");
    for _ in 0..9 {
        bench.pass(2_000);
        bench.renew(SessionId::new(1));
    }
    let effects = bench.pass(1_999);
    assert_eq!(routed(&effects), None);
    let effects = bench.pass(1);
    assert!(routed(&effects).is_some());
    assert!(
        effects.contains(&Effect::NoteLease),
        "from now on leases are as long as the rules say"
    );
}

#[test]
fn a_longer_lease_is_waited_for_until_its_worker_is_known_to_keep_the_shorter_one() {
    let mut bench = reborn(20_000);
    let back = bench.arrive(1, |arrival| {
        arrival.holding = vec![(key("/a"), Epoch::new(7))];
    });
    bench.pass(19_999);
    let owner = |bench: &Bench| bench.placement.pin("/a").map(|pin| pin.epoch);
    assert_eq!(
        owner(&bench),
        Some(Epoch::new(7)),
        "whether it has heard the welcome, nobody knows"
    );
    bench.renew(back);
    bench.pass(5_999);
    assert_eq!(owner(&bench), Some(Epoch::new(7)));
    bench.pass(1);
    assert_eq!(
        owner(&bench),
        None,
        "it renewed by the terms of the welcome"
    );
}

#[test]
fn in_a_grace_the_key_of_a_worker_that_may_have_heard_no_welcome_is_not_handed_over() {
    let mut bench = Bench::starting(
        Rules::default(),
        Start {
            first_epoch: Epoch::new(100),
            grace_until: Some(Moment::from_micros(20_000_000)),
        },
    );
    bench.arrive(1, |arrival| {
        arrival.holding = vec![(key("/a"), Epoch::new(7))];
    });
    let other = bench.worker(2);
    bench.order(to("/a", 2)).unwrap();
    for _ in 0..9 {
        bench.pass(2_000);
        bench.renew(other);
    }
    bench.pass(1_999);
    let pin = bench.placement.pin("/a").map(|pin| pin.epoch);
    assert_eq!(pin, Some(Epoch::new(7)));
    bench.pass(1);
    assert_eq!(bench.owner("/a").0, 2);
}

#[test]
fn after_a_restart_a_cordoned_worker_is_cordoned() {
    let mut bench = reborn(6_000);
    bench.worker(3);
    assert_eq!(rejected(&bench.resolve("/new")), Some(Rejection::NoWorker));
}

#[test]
fn after_a_change_of_the_rules_no_key_gets_an_owner_before_the_old_keys_are_let_go() {
    let rules = Rules {
        key_rules: KeyRules::parse([("/db/{name}/**", "/db/{name}")]).unwrap(),
        ..Rules::default()
    };
    let start = Start {
        first_epoch: Epoch::new(100),
        grace_until: None,
    };
    let mut bench = Bench::starting(rules, start);
    bench.input(Input::Restored(Box::new(Restored {
        pins: vec![restored("/db/a/rows", 1, 7), restored("/db/b", 1, 8)],
        lease: Duration::from_secs(6),
        cordoned: BTreeSet::new(),
    })));
    bench.worker(2);
    assert_eq!(
        routed(&bench.resolve("/db/a")),
        None,
        "worker 1 may still act on the rows of /db/a"
    );
    let session = bench.arrive(1, |arrival| {
        arrival.holding = vec![(key("/db/a/rows"), Epoch::new(7))];
    });
    assert_eq!(bench.owner("/db/b"), (1, Epoch::new(8)));
    let effects = bench.release(session, "/db/a/rows", Epoch::new(7));
    assert!(routed(&effects).is_some_and(|owner| owner.epoch >= Epoch::new(100)));
    assert!(bench.placement.pin("/db/a/rows").is_none());
}

#[test]
fn an_owner_that_never_lets_go_is_given_up_with_its_lease() {
    let mut bench = Bench::new(Rules::default());
    let stubborn = bench.worker(1);
    let (_, before) = bench.owner("/a");
    let other = bench.worker(2);
    bench.order_with_effects(to("/a", 2));
    let step = Rules::default().ttl() / 3;
    let mut given_up = None;
    let mut owner = None;
    for _ in 0..60 {
        bench.now = bench.now + step;
        let mut effects = bench.input(Input::Tick);
        bench.renew(other);
        if effects.iter().any(|effect| {
            matches!(effect, Effect::Dismiss { session, reason: Dismissal::Unyielding } if *session == stubborn)
        }) {
            given_up = Some(bench.now);
            // The same life does not get round it by a new connection.
            bench.arrive(1, |_| ());
            effects.extend(bench.effects.clone());
            assert!(!bench.effects.iter().any(|effect| matches!(effect, Effect::Welcome { .. })));
        }
        let acknowledged = bench.input(Input::Renewed {
            session: stubborn,
            sequence: 1,
        });
        let acknowledged = acknowledged
            .iter()
            .any(|effect| matches!(effect, Effect::Acknowledge { .. }));
        assert_eq!(acknowledged, given_up.is_none(), "at {:?}", bench.now);
        if let Some(found) = routed(&bench.resolve("/a")) {
            owner = Some((found, bench.now));
            break;
        }
    }
    let (owner, when) = owner.expect("the key moves in the end");
    assert!(owner.epoch > before);
    let given_up = given_up.expect("it was given up");
    assert!(
        when >= given_up + Rules::default().ttl() - step,
        "{when:?} {given_up:?}"
    );
}
