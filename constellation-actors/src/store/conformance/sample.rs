//! Keys, workers and pins that the suite uses.

use std::{collections::BTreeMap, time::Duration};

use uuid::Uuid;

use super::Subject;
use crate::{
    placement::{
        epoch::Epoch,
        key::ResourceKey,
        worker::{Incarnation, WorkerId},
    },
    store::{Error, Loaded, PinRecord, Store},
};

/// The lease of a store whose lease does not matter.
pub(super) const LEASE: Duration = Duration::from_secs(6);

pub(super) fn key(text: &str) -> ResourceKey {
    ResourceKey::parse(text).expect("the suite's keys are keys")
}

pub(super) fn worker(number: u128) -> WorkerId {
    WorkerId::new(Uuid::from_u128(number))
}

/// A pin of a worker's first life.
pub(super) fn pin(text: &str, number: u128, epoch: Epoch) -> PinRecord {
    PinRecord {
        key: key(text),
        worker: worker(number),
        incarnation: Incarnation::new(Uuid::from_u128(number + 1000)),
        epoch,
    }
}

/// The epoch that many after another.
pub(super) fn after(epoch: Epoch, steps: u64) -> Epoch {
    Epoch::new(epoch.get() + steps)
}

/// Opens the store and loads it.
pub(super) async fn start<S: Subject>(subject: &mut S) -> (S::Store, Loaded) {
    start_with(subject, LEASE).await
}

pub(super) async fn start_with<S: Subject>(subject: &mut S, lease: Duration) -> (S::Store, Loaded) {
    let mut store = subject.open().await;
    let loaded = store.load(lease).await.expect("the store can be loaded");
    (store, loaded)
}

/// Claims that must be confirmed.
pub(super) async fn claim(store: &mut impl Store, records: Vec<PinRecord>) {
    let all_well: Vec<Result<(), Error>> = records.iter().map(|_| Ok(())).collect();
    assert_eq!(store.claim(records).await, all_well);
}

/// The pins by their keys; no key has two.
pub(super) fn by_key(loaded: &Loaded) -> BTreeMap<ResourceKey, PinRecord> {
    let pins = loaded.pins.iter().cloned();
    let by_key: BTreeMap<_, _> = pins.map(|pin| (pin.key.clone(), pin)).collect();
    assert_eq!(by_key.len(), loaded.pins.len(), "a key was loaded twice");
    by_key
}

/// What [`by_key`] gives for these pins.
pub(super) fn expected(pins: Vec<PinRecord>) -> BTreeMap<ResourceKey, PinRecord> {
    pins.into_iter().map(|pin| (pin.key.clone(), pin)).collect()
}
