//! Claims about placement, each checked on a placement that a test drives by hand.

mod grace;
mod planned;

use std::time::Duration;

use uuid::Uuid;

use super::{
    Placement, Start,
    command::{Command, CommandError, OrderId},
    effect::{Claim, Dismissal, Effect, End, Owner, Rejection, Revocation},
    epoch::Epoch,
    holder::SessionId,
    input::{Arrival, ClaimFailure, ClaimId, Departure, Input, Ticket},
    key::ResourceKey,
    moment::Moment,
    pattern::Pattern,
    rules::{OnDisconnect, Rules},
    strategy::Strategy,
    worker::{Assurance, Incarnation, Profile, WorkerId},
};

/// A placement with a clock and a store that a test drives by hand.
struct Bench {
    placement: Placement,
    now: Moment,
    effects: Vec<Effect>,
    last_ticket: u64,
    last_session: u64,
    store_answers: bool,
}

impl Bench {
    fn new(rules: Rules) -> Self {
        Self::starting(
            rules,
            Start {
                first_epoch: Epoch::new(1),
                grace_until: None,
            },
        )
    }

    fn starting(rules: Rules, start: Start) -> Self {
        Self {
            placement: Placement::new(rules, start),
            now: Moment::ZERO,
            effects: Vec::new(),
            last_ticket: 0,
            last_session: 0,
            store_answers: true,
        }
    }

    /// Handles one input; the effects it had. A store that answers confirms every claim at once.
    fn input(&mut self, input: Input) -> Vec<Effect> {
        self.effects.clear();
        self.placement.handle(self.now, input, &mut self.effects);
        let mut seen = 0;
        while self.store_answers && seen < self.effects.len() {
            if let Effect::Claim(Claim { id, .. }) = self.effects[seen] {
                let stored = Input::Stored {
                    claim: id,
                    outcome: Ok(()),
                };
                self.placement.handle(self.now, stored, &mut self.effects);
            }
            seen += 1;
        }
        self.effects.clone()
    }

    fn pass(&mut self, milliseconds: u64) -> Vec<Effect> {
        self.now = self.now + Duration::from_millis(milliseconds);
        self.input(Input::Tick)
    }

    fn arrive(&mut self, worker: u128, change: impl FnOnce(&mut Arrival)) -> SessionId {
        self.last_session += 1;
        let session = SessionId::new(self.last_session);
        let mut arrival = Arrival {
            session,
            worker: WorkerId::new(Uuid::from_u128(worker)),
            incarnation: Incarnation::new(Uuid::from_u128(worker)),
            profile: Profile::default(),
            assurance: Assurance::Leased,
            holding: Vec::new(),
        };
        change(&mut arrival);
        self.input(Input::Arrived(Box::new(arrival)));
        session
    }

    fn worker(&mut self, worker: u128) -> SessionId {
        self.arrive(worker, |_| ())
    }

    fn resolve(&mut self, path: &str) -> Vec<Effect> {
        self.resolve_after(path, None)
    }

    fn resolve_after(&mut self, path: &str, refused: Option<Epoch>) -> Vec<Effect> {
        self.last_ticket += 1;
        let ticket = Ticket::new(self.last_ticket);
        self.input(Input::Resolve {
            key: key(path),
            ticket,
            refused,
        })
    }

    /// The owner of a key and its epoch, which must be known at once.
    fn owner(&mut self, path: &str) -> (u128, Epoch) {
        let effects = self.resolve(path);
        let owner = routed(&effects).unwrap_or_else(|| panic!("no route for {path}: {effects:?}"));
        let holder = self
            .placement
            .holder(owner.holder)
            .expect("a route leads to a holder");
        (holder.worker().as_uuid().as_u128(), owner.epoch)
    }

    fn order(&mut self, command: Command) -> Result<(), CommandError> {
        let order = OrderId::new(1);
        let effects = self.input(Input::Ordered { order, command });
        let mut answers = effects.iter().filter_map(|effect| match effect {
            Effect::Answer { outcome, .. } => Some(outcome.clone()),
            _ => None,
        });
        answers.next().expect("every order is answered")
    }

    fn release(&mut self, session: SessionId, path: &str, epoch: Epoch) -> Vec<Effect> {
        self.input(Input::Released {
            session,
            key: key(path),
            epoch,
        })
    }

    /// Lets a key go of the worker's own accord, and says so again when it is asked.
    fn let_go(&mut self, session: SessionId, path: &str, epoch: Epoch) -> Vec<Effect> {
        self.release(session, path, epoch);
        self.release(session, path, epoch)
    }

    fn renew(&mut self, session: SessionId) -> Vec<Effect> {
        self.input(Input::Renewed {
            session,
            sequence: 7,
        })
    }
}

fn key(path: &str) -> ResourceKey {
    ResourceKey::parse(path).unwrap()
}

fn routed(effects: &[Effect]) -> Option<Owner> {
    effects.iter().find_map(|effect| match effect {
        Effect::Route { owner, .. } => Some(*owner),
        _ => None,
    })
}

fn rejected(effects: &[Effect]) -> Option<Rejection> {
    effects.iter().find_map(|effect| match effect {
        Effect::Reject { rejection, .. } => Some(*rejection),
        _ => None,
    })
}

fn claimed(effects: &[Effect]) -> Vec<(ClaimId, Epoch)> {
    let claim = |effect: &Effect| match effect {
        Effect::Claim(claim) => Some((claim.id, claim.epoch)),
        _ => None,
    };
    effects.iter().filter_map(claim).collect()
}

#[test]
fn new_keys_go_round_robin_and_stay() {
    let mut bench = Bench::new(Rules::default());
    for worker in 1..=3 {
        bench.worker(worker);
    }
    let owners: Vec<_> = (0..6).map(|n| bench.owner(&format!("/{n}")).0).collect();
    assert_eq!(owners, [1, 2, 3, 1, 2, 3]);
    bench.worker(4);
    let again: Vec<_> = (0..6).map(|n| bench.owner(&format!("/{n}")).0).collect();
    assert_eq!(again, owners);
}

#[test]
fn least_pinned_prefers_the_emptier_worker() {
    let rules = Rules {
        strategy: Strategy::LeastPinned,
        ..Rules::default()
    };
    let mut bench = Bench::new(rules);
    bench.worker(1);
    for n in 0..3 {
        bench.owner(&format!("/{n}"));
    }
    bench.worker(2);
    let owners: Vec<_> = (3..6).map(|n| bench.owner(&format!("/{n}")).0).collect();
    assert_eq!(owners, [2, 2, 2]);
}

#[test]
fn without_a_worker_a_request_is_rejected_at_once() {
    let mut bench = Bench::new(Rules::default());
    assert_eq!(rejected(&bench.resolve("/a")), Some(Rejection::NoWorker));
}

#[test]
fn a_key_goes_only_to_a_worker_that_serves_it() {
    let mut bench = Bench::new(Rules::default());
    let databases = vec![Pattern::parse("/db/**").unwrap()];
    bench.arrive(1, |arrival| arrival.profile.serves = databases);
    assert_eq!(
        rejected(&bench.resolve("/games/1")),
        Some(Rejection::NoWorker)
    );
    assert_eq!(bench.owner("/db/a").0, 1);
    bench.worker(2);
    assert_eq!(bench.owner("/games/1").0, 2);
    assert_eq!(
        bench.owner("/db/b").0,
        1,
        "both serve it, and 1 was chosen longer ago"
    );
}

#[test]
fn a_full_worker_gets_no_new_key_until_it_releases_one() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.arrive(1, |arrival| arrival.profile.capacity = Some(1));
    let (_, epoch) = bench.owner("/a");
    assert_eq!(rejected(&bench.resolve("/b")), Some(Rejection::NoWorker));
    bench.let_go(session, "/a", epoch);
    assert_eq!(bench.owner("/b").0, 1);
}

#[test]
fn a_cordoned_worker_gets_no_new_key_and_keeps_its_own() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    bench.owner("/a");
    let worker = WorkerId::new(Uuid::from_u128(1));
    bench.order(Command::Cordon { worker }).unwrap();
    assert_eq!(rejected(&bench.resolve("/b")), Some(Rejection::NoWorker));
    assert_eq!(bench.owner("/a").0, 1);
    bench.renew(session);
    bench.order(Command::Uncordon { worker }).unwrap();
    assert_eq!(bench.owner("/b").0, 1);
}

#[test]
fn nothing_is_routed_before_the_store_confirms() {
    let mut bench = Bench::new(Rules::default());
    bench.store_answers = false;
    bench.worker(1);
    let effects = bench.resolve("/a");
    let [(claim, _)] = claimed(&effects)[..] else {
        panic!("one claim: {effects:?}")
    };
    assert_eq!(routed(&effects), None);
    assert_eq!(routed(&bench.resolve("/a")), None);
    let confirmed = bench.input(Input::Stored {
        claim,
        outcome: Ok(()),
    });
    let routes = confirmed
        .iter()
        .filter(|effect| matches!(effect, Effect::Route { .. }))
        .count();
    assert_eq!(routes, 2);
    let publish = confirmed
        .iter()
        .position(|effect| matches!(effect, Effect::Publish { .. }));
    assert_eq!(publish, Some(0));
}

#[test]
fn twenty_first_requests_to_one_key_make_one_claim() {
    let mut bench = Bench::new(Rules::default());
    bench.store_answers = false;
    bench.worker(1);
    bench.worker(2);
    let mut claims = Vec::new();
    for _ in 0..20 {
        claims.extend(claimed(&bench.resolve("/a")));
    }
    assert_eq!(claims.len(), 1);
}

#[test]
fn a_failed_claim_is_told_to_everyone_and_leaves_no_pin() {
    let mut bench = Bench::new(Rules::default());
    bench.store_answers = false;
    bench.worker(1);
    let [(claim, epoch)] = claimed(&bench.resolve("/a"))[..] else {
        panic!("one claim")
    };
    let outcome = Err(ClaimFailure::Retryable);
    let effects = bench.input(Input::Stored { claim, outcome });
    assert_eq!(rejected(&effects), Some(Rejection::StoreFailed));
    assert_eq!((bench.placement.pins(), bench.placement.waiting()), (0, 0));
    let [(_, next)] = claimed(&bench.resolve("/a"))[..] else {
        panic!("one claim")
    };
    assert!(
        next > epoch,
        "an epoch that the store may have seen is never used again"
    );
}

#[test]
fn a_goodbye_frees_the_keys_at_once_under_higher_epochs() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    bench.worker(2);
    let (owner, epoch) = bench.owner("/a");
    assert_eq!(owner, 1);
    let effects = bench.input(Input::Left {
        session,
        departure: Departure::Goodbye,
    });
    assert!(matches!(
        effects[..],
        [Effect::Ended {
            end: End::Goodbye,
            ..
        }]
    ));
    let (owner, next) = bench.owner("/a");
    assert_eq!(owner, 2);
    assert!(next > epoch);
}

#[test]
fn a_vanished_worker_keeps_its_keys_until_its_lease_ends() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    bench.worker(2);
    let (_, epoch) = bench.owner("/a");
    bench.input(Input::Left {
        session,
        departure: Departure::Vanished,
    });
    bench.now = bench.now + Duration::from_millis(5_999);
    let effects = bench.resolve("/a");
    assert_eq!((routed(&effects), rejected(&effects)), (None, None));

    let effects = bench.pass(1);
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Ended { .. }))
    );
    assert_eq!(
        rejected(&effects),
        Some(Rejection::NoWorker),
        "the other was silent as long"
    );
    bench.worker(3);
    let (owner, next) = bench.owner("/a");
    assert_eq!(owner, 3);
    assert!(next > epoch);
}

#[test]
fn the_same_incarnation_resumes_every_pin_under_the_same_epoch() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    let before = bench.owner("/a");
    bench.input(Input::Left {
        session,
        departure: Departure::Vanished,
    });
    assert_eq!(routed(&bench.resolve("/a")), None);
    bench.pass(3_000);
    bench.arrive(1, |arrival| arrival.holding = vec![(key("/a"), before.1)]);
    let waiting = bench.effects.clone();
    assert_eq!(routed(&waiting).map(|owner| owner.epoch), Some(before.1));
    assert!(
        !waiting
            .iter()
            .any(|effect| matches!(effect, Effect::Revoke { .. }))
    );
    assert_eq!(bench.owner("/a"), before);
}

#[test]
fn a_new_incarnation_under_a_known_id_holds_nothing() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    let (_, epoch) = bench.owner("/a");
    bench.input(Input::Left {
        session,
        departure: Departure::Vanished,
    });
    bench.arrive(1, |arrival| {
        arrival.incarnation = Incarnation::new(Uuid::from_u128(77))
    });
    let effects = bench.resolve("/a");
    assert_eq!(
        (routed(&effects), rejected(&effects)),
        (None, None),
        "it waits for the old lease"
    );
    let newer = SessionId::new(2);
    for _ in 0..3 {
        bench.pass(1_999);
        bench.renew(newer);
    }
    let effects = bench.pass(3);
    let owner = routed(&effects).expect("the old lease is over");
    assert!(owner.epoch > epoch);
}

#[test]
fn the_newer_session_of_one_incarnation_wins() {
    let mut bench = Bench::new(Rules::default());
    let older = bench.worker(1);
    let before = bench.owner("/a");
    bench.arrive(1, |arrival| arrival.holding = vec![(key("/a"), before.1)]);
    let dismissed = Effect::Dismiss {
        session: older,
        reason: Dismissal::Superseded,
    };
    assert!(bench.effects.contains(&dismissed));
    bench.input(Input::Left {
        session: older,
        departure: Departure::Vanished,
    });
    assert_eq!(
        bench.owner("/a"),
        before,
        "the end of the older session means nothing"
    );
}

#[test]
fn a_silent_worker_gets_nothing_until_it_renews() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    let before = bench.owner("/a");
    bench.pass(3_000);
    assert_eq!(rejected(&bench.resolve("/b")), Some(Rejection::NoWorker));
    assert_eq!(routed(&bench.resolve("/a")), None);
    let effects = bench.renew(session);
    assert!(effects.contains(&Effect::Acknowledge {
        session,
        sequence: 7
    }));
    assert_eq!(routed(&effects).map(|owner| owner.epoch), Some(before.1));
    assert_eq!(bench.owner("/b").0, 1);
}

#[test]
fn a_connected_worker_that_stays_silent_loses_its_keys_at_the_end_of_its_lease() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    bench.owner("/a");
    bench.pass(5_999);
    assert_eq!(bench.placement.holders().count(), 1);
    let effects = bench.pass(1);
    assert!(effects.contains(&Effect::Dismiss {
        session,
        reason: Dismissal::LeaseEnded
    }));
    assert_eq!(bench.placement.holders().count(), 0);
    assert!(
        bench.renew(session).is_empty(),
        "a renewal that comes too late is not acknowledged"
    );
}

#[test]
fn a_renewal_that_comes_with_the_end_of_the_lease_comes_too_late() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    bench.now = bench.now + Duration::from_secs(6);
    let effects = bench.renew(session);
    let acknowledged = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Acknowledge { .. }));
    assert!(!acknowledged);
}

#[test]
fn reassign_moves_the_keys_as_soon_as_the_connection_vanishes() {
    let rules = Rules {
        on_disconnect: OnDisconnect::Reassign,
        ..Rules::default()
    };
    let mut bench = Bench::new(rules);
    let session = bench.worker(1);
    let (_, epoch) = bench.owner("/a");
    bench.worker(2);
    bench.input(Input::Left {
        session,
        departure: Departure::Vanished,
    });
    assert_eq!(bench.owner("/a").0, 2);
    bench.arrive(1, |arrival| arrival.holding = vec![(key("/a"), epoch)]);
    let revoked = bench.effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Revoke {
                reason: Revocation::Stale,
                ..
            }
        )
    });
    assert!(revoked, "it still believed in the key");
}

#[test]
fn a_best_effort_worker_is_probed_and_dropped_when_it_never_answers() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.arrive(1, |arrival| arrival.assurance = Assurance::BestEffort);
    assert!(bench.pass(2_000).contains(&Effect::Probe { session }));
    bench.input(Input::Heard { session });
    let mut effects = Vec::new();
    for _ in 0..3 {
        assert_eq!(bench.placement.holders().count(), 1);
        effects = bench.pass(2_000);
    }
    assert!(effects.contains(&Effect::Dismiss {
        session,
        reason: Dismissal::LeaseEnded
    }));
    assert_eq!(bench.placement.holders().count(), 0);
}

#[test]
fn a_best_effort_workers_keys_move_when_its_connection_closes() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.arrive(1, |arrival| arrival.assurance = Assurance::BestEffort);
    bench.owner("/a");
    bench.worker(2);
    bench.input(Input::Left {
        session,
        departure: Departure::Vanished,
    });
    assert_eq!(bench.owner("/a").0, 2);
}

#[test]
fn waiting_is_bounded_per_key_and_in_total() {
    let rules = Rules {
        waiting_per_key_max: 2,
        waiting_max: 3,
        ..Rules::default()
    };
    let mut bench = Bench::new(rules);
    bench.store_answers = false;
    bench.worker(1);
    let rejections: Vec<_> = ["/a", "/a", "/a", "/b", "/b"]
        .map(|path| rejected(&bench.resolve(path)))
        .into();
    let full = [
        None,
        None,
        Some(Rejection::WaitingPerKeyFull),
        None,
        Some(Rejection::WaitingFull),
    ];
    assert_eq!(rejections, full);
}

#[test]
fn an_abandoned_ticket_makes_room_and_is_never_answered() {
    let rules = Rules {
        waiting_per_key_max: 1,
        ..Rules::default()
    };
    let mut bench = Bench::new(rules);
    bench.store_answers = false;
    bench.worker(1);
    let [(claim, _)] = claimed(&bench.resolve("/a"))[..] else {
        panic!("one claim")
    };
    bench.input(Input::Abandoned {
        key: key("/a"),
        ticket: Ticket::new(1),
    });
    assert_eq!(bench.placement.waiting(), 0);
    assert_eq!(rejected(&bench.resolve("/a")), None);
    let effects = bench.input(Input::Stored {
        claim,
        outcome: Ok(()),
    });
    let answered: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Route { ticket, .. } => Some(*ticket),
            _ => None,
        })
        .collect();
    assert_eq!(answered, [Ticket::new(2)]);
}

#[test]
fn a_refused_request_waits_until_its_worker_renews() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    let (_, epoch) = bench.owner("/a");
    assert_eq!(routed(&bench.resolve_after("/a", Some(epoch))), None);
    assert!(routed(&bench.renew(session)).is_some());
}

#[test]
fn a_refused_request_holds_up_no_other_key_and_goes_on_with_the_release() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    let (_, epoch) = bench.owner("/a");
    let other = bench.owner("/b");
    bench.resolve_after("/a", Some(epoch));
    assert_eq!(bench.owner("/b"), other);
    let effects = bench.let_go(session, "/a", epoch);
    assert!(routed(&effects).is_some_and(|owner| owner.epoch > epoch));
}

#[test]
fn the_pins_of_a_lost_worker_are_cleared_a_batch_at_a_time() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    for n in 0..6_000 {
        bench.owner(&format!("/{n}"));
    }
    bench.input(Input::Left {
        session,
        departure: Departure::Goodbye,
    });
    assert_eq!(bench.placement.pins(), 6_000);
    assert_eq!(bench.placement.next_deadline(), Some(Moment::ZERO));
    let effects = bench.input(Input::Tick);
    assert_eq!(bench.placement.pins(), 3_500);
    assert!(matches!(
        effects[..2],
        [Effect::Withdraw { .. }, Effect::Forget { .. }]
    ));
    bench.input(Input::Tick);
    bench.input(Input::Tick);
    assert_eq!(
        (bench.placement.pins(), bench.placement.next_deadline()),
        (0, None)
    );
}

#[test]
fn clearing_spares_a_key_that_has_a_new_owner() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    bench.owner("/a");
    bench.worker(2);
    bench.input(Input::Left {
        session,
        departure: Departure::Goodbye,
    });
    let owner = bench.owner("/a");
    bench.input(Input::Tick);
    assert_eq!(bench.owner("/a"), owner);
    assert_eq!(bench.placement.pins(), 1);
}

#[test]
fn a_claim_of_a_worker_that_left_meanwhile_is_made_anew() {
    let mut bench = Bench::new(Rules::default());
    bench.store_answers = false;
    let session = bench.worker(1);
    let [(first, epoch)] = claimed(&bench.resolve("/a"))[..] else {
        panic!("one claim")
    };
    bench.worker(2);
    let effects = bench.input(Input::Left {
        session,
        departure: Departure::Goodbye,
    });
    let [(second, next)] = claimed(&effects)[..] else {
        panic!("one claim: {effects:?}")
    };
    assert!(next > epoch);
    assert_eq!(
        routed(&bench.input(Input::Stored {
            claim: first,
            outcome: Ok(())
        })),
        None
    );
    let effects = bench.input(Input::Stored {
        claim: second,
        outcome: Ok(()),
    });
    assert_eq!(routed(&effects).map(|owner| owner.epoch), Some(next));
}

#[test]
fn the_number_of_keys_is_bounded() {
    let mut bench = Bench::new(Rules {
        keys_max: 1,
        ..Rules::default()
    });
    bench.worker(1);
    bench.owner("/a");
    assert_eq!(rejected(&bench.resolve("/b")), Some(Rejection::KeysFull));
    assert_eq!(bench.owner("/a").0, 1);
}

#[test]
fn a_claim_that_fails_leaves_nothing_of_the_pin_before() {
    let mut bench = Bench::new(Rules::default());
    let session = bench.worker(1);
    let (_, before) = bench.owner("/a");
    bench.worker(2);
    bench.store_answers = false;
    let departure = Departure::Goodbye;
    bench.input(Input::Left { session, departure });
    let [(claim, epoch)] = claimed(&bench.resolve("/a"))[..] else {
        panic!("the key gets a new owner")
    };
    let outcome = Err(ClaimFailure::Retryable);
    let effects = bench.input(Input::Stored { claim, outcome });
    assert!(epoch > before);
    let key = key("/a");
    let over = Effect::Forget {
        key: key.clone(),
        epoch,
    };
    assert!(effects.contains(&over), "{effects:?}");
    assert!(effects.contains(&Effect::Withdraw { key, epoch }));
}
