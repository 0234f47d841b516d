//! What a store promises that outlives its process.

use std::{collections::BTreeSet, time::Duration};

use futures::future::{BoxFuture, join_all, join3};

use super::{
    Subject,
    sample::{after, by_key, claim, expected, key, pin, start, start_with, worker},
};
use crate::{
    placement::{epoch::Epoch, key::KEY_BYTES_MAX, worker::Incarnation},
    store::{Error, Note, PinRecord, Store},
};

/// A pin comes back whole: its key, both names of its owner, its epoch.
pub async fn a_confirmed_claim_is_there_at_the_next_start(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    let epoch = loaded.first_epoch;
    let pins = vec![
        pin("/a", 1, epoch),
        pin("/b", 2, after(epoch, 1)),
        PinRecord {
            incarnation: Incarnation::new(uuid::Uuid::from_u128(77)),
            ..pin("/c", 1, after(epoch, 2))
        },
    ];
    claim(&mut store, pins.clone()).await;
    drop(store);
    let (_store, loaded) = start(&mut subject).await;
    assert_eq!(by_key(&loaded), expected(pins));
}

/// A claim whose answer nobody waits for is carried out all the same, before what was asked later.
pub async fn what_nobody_waits_for_is_done_in_its_turn(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    let epoch = loaded.first_epoch;
    drop(store.claim(vec![pin("/unheard", 1, epoch)]));
    claim(&mut store, vec![pin("/heard", 1, after(epoch, 1))]).await;
    drop(store);
    let (_store, loaded) = start(&mut subject).await;
    let pins = vec![pin("/unheard", 1, epoch), pin("/heard", 1, after(epoch, 1))];
    assert_eq!(by_key(&loaded), expected(pins));
}

/// Keys differ by every byte: letter case, escapes, quotes, and their last byte of many.
pub async fn every_key_comes_back_byte_for_byte(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    let long = format!("/{}", "x".repeat(KEY_BYTES_MAX - 2));
    let mut texts: Vec<String> = (0x21..=0x7e_u8)
        .map(|byte| format!("/{}", char::from(byte)))
        .collect();
    texts.extend(["/", "//", "/%61", "/a/", "/a%00b"].map(str::to_owned));
    texts.extend([format!("{long}a"), format!("{long}b")]);
    let pins = texts.iter().zip(0..);
    let pins: Vec<_> = pins
        .map(|(text, number)| pin(text, 1, after(loaded.first_epoch, number)))
        .collect();
    claim(&mut store, pins.clone()).await;
    drop(store);
    let (_store, loaded) = start(&mut subject).await;
    assert_eq!(by_key(&loaded), expected(pins));
}

/// The newer pin is the only one.
pub async fn a_higher_epoch_replaces_the_owner(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    let epoch = loaded.first_epoch;
    claim(&mut store, vec![pin("/a", 1, epoch)]).await;
    claim(&mut store, vec![pin("/a", 2, after(epoch, 1))]).await;
    drop(store);
    let (_store, loaded) = start(&mut subject).await;
    let newer = vec![pin("/a", 2, after(epoch, 1))];
    assert_eq!(by_key(&loaded), expected(newer));
}

/// Nobody gets a key under an epoch that is not higher than the one before, not even its owner.
pub async fn an_equal_or_lower_epoch_is_a_conflict(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    let held = after(loaded.first_epoch, 5);
    claim(&mut store, vec![pin("/a", 1, held)]).await;
    for (number, claimed) in [(1, held), (2, held), (2, after(loaded.first_epoch, 4))] {
        let outcome = store.claim(vec![pin("/a", number, claimed)]).await;
        assert_eq!(outcome, [Err(conflict("/a", held, claimed))]);
    }
    drop(store);
    let (mut store, loaded) = start(&mut subject).await;
    assert_eq!(by_key(&loaded), expected(vec![pin("/a", 1, held)]));
    let outcome = store.claim(vec![pin("/a", 2, held)]).await;
    assert_eq!(outcome, [Err(conflict("/a", held, held))]);
}

/// Each record is judged by itself.
pub async fn a_conflict_fails_no_other_claim_and_answers_keep_their_order(
    mut subject: impl Subject,
) {
    let (mut store, loaded) = start(&mut subject).await;
    let (low, held) = (loaded.first_epoch, after(loaded.first_epoch, 1));
    claim(&mut store, vec![pin("/1", 1, held), pin("/3", 1, held)]).await;
    let records = vec![
        pin("/0", 2, low),
        pin("/1", 2, low),
        pin("/2", 2, low),
        pin("/3", 2, held),
        pin("/4", 2, low),
    ];
    let outcomes = store.claim(records).await;
    let wanted = [
        Ok(()),
        Err(conflict("/1", held, low)),
        Ok(()),
        Err(conflict("/3", held, held)),
        Ok(()),
    ];
    assert_eq!(outcomes, wanted);
    drop(store);
    let (_store, loaded) = start(&mut subject).await;
    let pins = vec![
        pin("/0", 2, low),
        pin("/1", 1, held),
        pin("/2", 2, low),
        pin("/3", 1, held),
        pin("/4", 2, low),
    ];
    assert_eq!(by_key(&loaded), expected(pins));
}

/// A call is carried out from its first record to its last.
pub async fn one_key_twice_in_one_call_is_judged_in_order(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    let (low, high) = (loaded.first_epoch, after(loaded.first_epoch, 1));
    let records = vec![pin("/up", 1, low), pin("/up", 2, high)];
    assert_eq!(store.claim(records).await, [Ok(()), Ok(())]);
    let records = vec![pin("/down", 1, high), pin("/down", 2, low)];
    let outcomes = store.claim(records).await;
    assert_eq!(outcomes, [Ok(()), Err(conflict("/down", high, low))]);
    drop(store);
    let (_store, loaded) = start(&mut subject).await;
    let pins = vec![pin("/up", 2, high), pin("/down", 1, high)];
    assert_eq!(by_key(&loaded), expected(pins));
}

/// Claims that are under way together do not lose each other.
pub async fn many_concurrent_claims_are_all_confirmed_and_found(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    let pins: Vec<_> = (0..2_000_u64)
        .map(|number| {
            let epoch = after(loaded.first_epoch, number);
            pin(&format!("/{number}"), u128::from(number % 64), epoch)
        })
        .collect();
    let answers: Vec<_> = pins
        .iter()
        .map(|pin| asked(&mut store, vec![pin.clone()]))
        .collect();
    for outcome in join_all(answers).await {
        assert_eq!(outcome, [Ok(())]);
    }
    drop(store);
    let (_store, loaded) = start(&mut subject).await;
    assert_eq!(by_key(&loaded), expected(pins));
}

/// A release that comes late does not take the next owner's pin.
pub async fn a_release_forgets_up_to_its_epoch_and_no_further(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    let (low, high) = (loaded.first_epoch, after(loaded.first_epoch, 1));
    let pins = vec![
        pin("/newer", 1, high),
        pin("/equal", 1, high),
        pin("/older", 1, low),
        pin("/unnamed", 1, low),
    ];
    claim(&mut store, pins).await;
    let released = vec![
        (key("/newer"), low),
        (key("/equal"), high),
        (key("/older"), high),
    ];
    assert_eq!(store.release(released).await, Ok(()));
    drop(store);
    let (_store, loaded) = start(&mut subject).await;
    let pins = vec![pin("/newer", 1, high), pin("/unnamed", 1, low)];
    assert_eq!(by_key(&loaded), expected(pins));
}

/// Claims and releases of one key are carried out in their order, also when they are under way
/// together.
pub async fn a_released_pin_is_not_there_at_the_next_start(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    let epoch = loaded.first_epoch;
    let pins = vec![pin("/a", 1, epoch), pin("/b", 1, after(epoch, 1))];
    let first = asked(&mut store, pins);
    let released = vec![(key("/a"), epoch), (key("/b"), after(epoch, 1))];
    let released: BoxFuture<'static, _> = Box::pin(store.release(released));
    let second = asked(&mut store, vec![pin("/b", 2, after(epoch, 2))]);
    let (first, released, second) = join3(first, released, second).await;
    assert_eq!((first, released), (vec![Ok(()), Ok(())], Ok(())));
    assert_eq!(second, [Ok(())]);
    drop(store);
    let (_store, loaded) = start(&mut subject).await;
    let pins = vec![pin("/b", 2, after(epoch, 2))];
    assert_eq!(by_key(&loaded), expected(pins));
}

/// Also of pins that were released, and of claims that were refused.
pub async fn the_first_epoch_is_above_every_claim_of_any_life(mut subject: impl Subject) {
    // Far above any clock, so that no clock hides a counter that was lost.
    let far = 1 << 61;
    let (mut store, loaded) = start(&mut subject).await;
    assert!(loaded.first_epoch.get() < far);
    let released = Epoch::new(far + 10);
    claim(&mut store, vec![pin("/a", 1, released)]).await;
    let outcome = store.release(vec![(key("/a"), released)]).await;
    assert_eq!(outcome, Ok(()));
    drop(store);

    let (mut store, loaded) = start(&mut subject).await;
    assert!(loaded.first_epoch > released, "{loaded:?}");
    claim(&mut store, vec![pin("/b", 1, after(released, 20))]).await;
    let refused = after(released, 15);
    assert!(store.claim(vec![pin("/b", 1, refused)]).await[0].is_err());
    drop(store);

    let (_store, loaded) = start(&mut subject).await;
    assert!(loaded.first_epoch > after(released, 20), "{loaded:?}");
}

/// Workers of an earlier life keep the leases that they were given then.
pub async fn the_longest_noted_lease_holds_until_it_is_lowered(mut subject: impl Subject) {
    let lives = [
        // The lease of the life, what the store says of it, and whether the life notes it.
        (10, 10, false),
        (2, 10, false),
        (12, 12, false),
        (3, 12, true),
        (1, 3, false),
        (5, 5, true),
        (4, 5, false),
    ];
    for (lease, wanted, is_noted) in lives {
        let lease = Duration::from_secs(lease);
        let (mut store, loaded) = start_with(&mut subject, lease).await;
        assert_eq!(loaded.lease, Duration::from_secs(wanted), "at {lease:?}");
        if is_noted {
            assert_eq!(store.note(Note::Lease(lease)).await, Ok(()));
        }
    }
}

/// A life that ended within the grace of a new store leaves the next one a grace of its own,
/// whatever it claimed.
pub async fn a_store_is_complete_once_its_first_grace_is_over(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    assert!(!loaded.complete);
    claim(&mut store, vec![pin("/a", 1, loaded.first_epoch)]).await;
    drop(store);
    let (mut store, loaded) = start(&mut subject).await;
    assert!(!loaded.complete);
    assert_eq!(store.note(Note::Lease(loaded.lease)).await, Ok(()));
    drop(store);
    for _ in 0..2 {
        let (_store, loaded) = start(&mut subject).await;
        assert!(loaded.complete);
    }
}

/// Each worker by itself.
pub async fn a_cordon_lasts_until_it_is_lifted(mut subject: impl Subject) {
    let (mut store, _) = start(&mut subject).await;
    for (number, cordoned) in [(1, true), (2, true), (2, true), (3, true), (2, false)] {
        let worker = worker(number);
        let note = Note::Cordoned { worker, cordoned };
        assert_eq!(store.note(note).await, Ok(()));
    }
    drop(store);
    let (mut store, loaded) = start(&mut subject).await;
    assert_eq!(loaded.cordoned, BTreeSet::from([worker(1), worker(3)]));
    for number in [1, 3] {
        let note = Note::Cordoned {
            worker: worker(number),
            cordoned: false,
        };
        assert_eq!(store.note(note).await, Ok(()));
    }
    drop(store);
    let (_store, loaded) = start(&mut subject).await;
    assert_eq!(loaded.cordoned, BTreeSet::new());
}

/// Asks now and leaves the waiting for later.
fn asked(
    store: &mut impl Store,
    records: Vec<PinRecord>,
) -> BoxFuture<'static, Vec<Result<(), Error>>> {
    Box::pin(store.claim(records))
}

fn conflict(text: &str, held: Epoch, claimed: Epoch) -> Error {
    Error::Conflict {
        key: key(text),
        held,
        claimed,
    }
}
