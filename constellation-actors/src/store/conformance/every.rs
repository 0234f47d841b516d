//! What every store promises, also one that remembers nothing.

use std::collections::BTreeSet;

use super::{
    Subject,
    sample::{LEASE, after, claim, key, pin, start, worker},
};
use crate::store::{Note, Store};

/// A store that was never used has no pins, and says that others may have been granted.
pub async fn a_new_store_knows_nothing(mut subject: impl Subject) {
    let (_store, loaded) = start(&mut subject).await;
    assert_eq!(loaded.pins, []);
    assert_eq!(loaded.cordoned, BTreeSet::new());
    assert_eq!(loaded.lease, LEASE);
    assert!(!loaded.complete, "nobody knows what was before");
    assert!(loaded.first_epoch.get() > 0);
}

/// There is one answer for each record, also when there is none.
pub async fn every_claim_is_answered(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    assert_eq!(store.claim(Vec::new()).await, []);
    let records = (0..100).map(|number: u64| {
        let epoch = after(loaded.first_epoch, number);
        pin(&format!("/{number}"), u128::from(number % 3), epoch)
    });
    claim(&mut store, records.collect()).await;
}

/// What is given back and noted needs no pin to be there.
pub async fn releases_and_notes_are_answered(mut subject: impl Subject) {
    let (mut store, loaded) = start(&mut subject).await;
    let epoch = loaded.first_epoch;
    claim(&mut store, vec![pin("/a", 1, epoch)]).await;
    let released = vec![(key("/a"), epoch), (key("/never"), epoch)];
    assert_eq!(store.release(released).await, Ok(()));
    assert_eq!(store.release(Vec::new()).await, Ok(()));
    assert_eq!(store.note(Note::Lease(LEASE)).await, Ok(()));
    for cordoned in [true, true, false, false] {
        let note = Note::Cordoned {
            worker: worker(1),
            cordoned,
        };
        assert_eq!(store.note(note).await, Ok(()));
    }
}
