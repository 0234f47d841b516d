//! Claims about a start without memory: for one lease, workers may still hold keys of an earlier
//! life, and are believed.

use super::*;

/// A start without memory, in its grace of six seconds.
fn in_grace() -> Bench {
    let grace_until = Some(Moment::ZERO + Rules::default().ttl());
    Bench::starting(
        Rules::default(),
        Start {
            first_epoch: Epoch::new(100),
            grace_until,
        },
    )
}

#[test]
fn in_the_grace_unknown_keys_wait() {
    let mut bench = in_grace();
    let session = bench.worker(1);
    let effects = bench.resolve("/a");
    assert_eq!((routed(&effects), rejected(&effects)), (None, None));
    bench.now = bench.now + Duration::from_secs(4);
    bench.renew(session);
    let effects = bench.pass(2_000);
    assert_eq!(
        routed(&effects).map(|owner| owner.epoch),
        Some(Epoch::new(100))
    );
}

#[test]
fn in_the_grace_a_worker_is_believed_what_it_holds() {
    let mut bench = in_grace();
    bench.arrive(1, |arrival| {
        arrival.holding = vec![(key("/a"), Epoch::new(42))]
    });
    assert_eq!(bench.owner("/a"), (1, Epoch::new(42)));
}

#[test]
fn of_two_that_hold_a_key_in_the_grace_the_higher_epoch_wins() {
    let mut bench = in_grace();
    let stale = bench.arrive(1, |arrival| {
        arrival.holding = vec![(key("/a"), Epoch::new(41))]
    });
    bench.arrive(2, |arrival| {
        arrival.holding = vec![(key("/a"), Epoch::new(42))]
    });
    let told = bench
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Revoke { session, .. } if *session == stale));
    assert!(told);
    assert_eq!(bench.owner("/a"), (2, Epoch::new(42)));
}

#[test]
fn an_epoch_that_this_life_did_not_grant_is_not_believed() {
    let mut bench = in_grace();
    bench.arrive(1, |arrival| {
        arrival.holding = vec![(key("/a"), Epoch::new(100))]
    });
    assert!(
        bench
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Revoke { .. }))
    );
}

#[test]
fn a_key_that_is_let_go_before_the_store_has_confirmed_it_is_asked_for_then() {
    let mut bench = in_grace();
    bench.store_answers = false;
    let session = bench.arrive(1, |arrival| {
        arrival.holding = vec![(key("/a"), Epoch::new(42))]
    });
    let [(claim, epoch)] = claimed(&bench.effects)[..] else {
        panic!("the hello is believed: {:?}", bench.effects)
    };
    assert_eq!(bench.release(session, "/a", epoch), []);
    let outcome = Ok(());
    let effects = bench.input(Input::Stored { claim, outcome });
    // Its worker refuses every request under this epoch, and would do so for ever.
    let asked = effects.iter().any(|effect| {
        matches!(effect, Effect::Revoke { session: to, epoch: of, .. } if (*to, *of) == (session, epoch))
    });
    assert!(asked, "{effects:?}");
    let effects = bench.release(session, "/a", epoch);
    let forgotten = |effect: &Effect| matches!(effect, Effect::Forget { .. });
    assert!(effects.iter().any(forgotten), "{effects:?}");
}
