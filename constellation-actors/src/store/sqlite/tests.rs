//! What the store does when its queue is full, its disk is full, its file breaks, or it ends.

use std::sync::mpsc;

use futures::executor::block_on;
use rusqlite::{Connection, Transaction};
use tempfile::TempDir;
use uuid::Uuid;

use super::{command::Work, queue::QUEUED_MAX, *};
use crate::placement::worker::{Incarnation, WorkerId};

const LEASE: Duration = Duration::from_secs(6);

fn opened() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("c.db")).unwrap();
    (folder, store)
}

fn reopened(folder: &TempDir) -> (SqliteStore, Loaded) {
    let mut store = SqliteStore::open(folder.path().join("c.db")).unwrap();
    let loaded = block_on(store.load(LEASE)).unwrap();
    (store, loaded)
}

fn pin(number: u64) -> PinRecord {
    pin_of(&format!("/{number}"), 1, number + 1)
}

fn pin_of(key: &str, owner: u128, epoch: u64) -> PinRecord {
    PinRecord {
        key: ResourceKey::parse(key).unwrap(),
        worker: WorkerId::new(Uuid::from_u128(owner)),
        incarnation: Incarnation::new(Uuid::from_u128(owner)),
        epoch: Epoch::new(epoch),
    }
}

/// Does something on the store's thread, in its turn.
fn run(store: &SqliteStore, work: impl FnMut(&Transaction<'_>) + Send + 'static) {
    store
        .queue
        .push(Command::Test(Work(Box::new(work))))
        .unwrap();
}

/// Holds the store's thread up until the sender is dropped; returns once it is held up.
fn hold_up(store: &SqliteStore) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    run(store, move |_| {
        tell.send(()).unwrap();
        // It ends with an error, when the sender is dropped.
        let _dropped: Result<(), _> = held.recv();
    });
    told.recv().unwrap();
    release
}

/// What comes of something that might be waited for in vain.
fn soon<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    let _waiting = thread::spawn(move || tell.send(block_on(future)));
    told.recv_timeout(Duration::from_secs(30)).unwrap()
}

#[test]
fn a_full_queue_refuses_at_once_and_takes_more_once_there_is_room() {
    let (_folder, mut store) = opened();
    let held = hold_up(&store);
    let most = (0..QUEUED_MAX as u64).map(pin).collect();
    let queued = store.claim(most);
    let refused = store.claim(vec![pin(1), pin(2)]).now_or_never().unwrap();
    let wanted = Error::Unavailable {
        reason: "it is overloaded: 65536 records wait to be written".to_owned(),
    };
    assert_eq!(refused, [Err(wanted.clone()), Err(wanted.clone())]);
    assert!(wanted.is_retryable());
    let released = store.release(Vec::new()).now_or_never();
    assert_eq!(released, Some(Err(wanted)));
    drop(held);
    assert!(block_on(queued).iter().all(Result::is_ok));
    assert_eq!(block_on(store.claim(vec![pin(1 << 40)])), [Ok(())]);
}

#[test]
fn what_is_queued_while_the_disk_is_busy_shares_one_transaction() {
    let (_folder, mut store) = opened();
    let held = hold_up(&store);
    let mut answers: Vec<_> = (0..100)
        .map(|it| store.claim(vec![pin(it)]).boxed())
        .collect();
    let (tell, told) = mpsc::channel();
    run(&store, move |transaction| {
        let sql = "SELECT count(*) FROM pins";
        let count: i64 = transaction.query_row(sql, [], |row| row.get(0)).unwrap();
        tell.send(count).unwrap();
    });
    // None of them is confirmed when the last one's turn comes: that is one transaction.
    let held_again = hold_up_in_turn(&store, held);
    assert_eq!(told.recv().unwrap(), 100);
    assert!(answers.iter_mut().all(|it| it.now_or_never().is_none()));
    drop(held_again);
    for answer in answers {
        assert_eq!(block_on(answer), [Ok(())]);
    }
}

/// Holds the thread up again behind all that is queued now.
fn hold_up_in_turn(store: &SqliteStore, held: mpsc::Sender<()>) -> mpsc::Sender<()> {
    let (release, held_again) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    run(store, move |_| {
        tell.send(()).unwrap();
        let _dropped: Result<(), _> = held_again.recv();
    });
    drop(held);
    told.recv().unwrap();
    release
}

#[test]
fn what_is_answered_is_in_the_files_already() {
    let (folder, mut store) = opened();
    assert_eq!(block_on(store.claim(vec![pin(1)])), [Ok(())]);
    assert_eq!(block_on(store.note(Note::Lease(LEASE))), Ok(()));
    // The files as a process that is killed now leaves them.
    let left = tempfile::tempdir().unwrap();
    for name in ["c.db", "c.db-wal"] {
        std::fs::copy(folder.path().join(name), left.path().join(name)).unwrap();
    }
    let (_store, loaded) = reopened(&left);
    assert_eq!(loaded.pins, [pin(1)]);
    assert!(loaded.complete);
}

#[test]
fn a_full_disk_stops_new_pins_and_recovers_when_there_is_room() {
    let (folder, mut store) = opened();
    let limit = |pages: i64| {
        move |transaction: &Transaction<'_>| {
            transaction
                .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
                .unwrap();
        }
    };
    run(&store, limit(30));
    let mut confirmed = Vec::new();
    let error = loop {
        let number = confirmed.len() as u64;
        let long = format!("/{number}/{}", "x".repeat(3_000));
        let record = pin_of(&long, 1, number + 1);
        match block_on(store.claim(vec![record.clone()])).remove(0) {
            Ok(()) => confirmed.push(record),
            Err(error) => break error,
        }
        assert!(confirmed.len() < 100, "the limit was not hit");
    };
    assert!(error.is_retryable());
    let told = error.to_string();
    assert!(told.contains("database or disk is full"), "{told}");
    assert!(told.contains("c.db"), "{told}");
    // It fails again and again, all of the batch, and undoes all of it.
    let together = vec![
        pin(1 << 40),
        pin_of(&format!("/{}", "y".repeat(8_000)), 1, 1),
    ];
    for outcome in block_on(store.claim(together)) {
        assert_eq!(outcome, Err(error.clone()));
    }
    run(&store, limit(1_000));
    let later = pin_of(&format!("/{}", "z".repeat(8_000)), 1, 1 << 41);
    assert_eq!(block_on(store.claim(vec![later.clone()])), [Ok(())]);
    confirmed.push(later);
    drop(store);
    let (_store, mut loaded) = reopened(&folder);
    confirmed.sort_by(|one, other| one.key.cmp(&other.key));
    loaded.pins.sort_by(|one, other| one.key.cmp(&other.key));
    assert_eq!(loaded.pins, confirmed);
}

#[test]
fn damage_that_shows_while_it_runs_is_terminal_and_named() {
    let (folder, mut store) = opened();
    assert_eq!(block_on(store.claim(vec![pin(1)])), [Ok(())]);
    drop(store);
    let spoil = "UPDATE pins SET key = 'no slash'";
    let file = folder.path().join("c.db");
    Connection::open(&file)
        .unwrap()
        .execute_batch(spoil)
        .unwrap();
    let mut store = SqliteStore::open(&file).unwrap();
    let error = block_on(store.load(LEASE)).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    assert!(!error.is_retryable());
    let told = error.to_string();
    assert!(told.contains("c.db") && told.contains("no slash"), "{told}");
}

#[test]
fn a_page_that_breaks_under_the_store_is_damage() {
    let (folder, mut store) = opened();
    let pins = (0..5_000).map(pin).collect();
    assert!(block_on(store.claim(pins)).iter().all(Result::is_ok));
    drop(store);
    let (mut store, _) = reopened(&folder);
    // The schema is read anew, and names a page that is no table.
    run(&store, |transaction| {
        transaction
            .execute_batch(
                "PRAGMA writable_schema = ON;
                 UPDATE sqlite_schema SET rootpage = 999999 WHERE name = 'pins';
                 PRAGMA writable_schema = RESET;",
            )
            .unwrap();
    });
    let outcome = block_on(store.claim(vec![pin(1 << 40)])).remove(0);
    assert!(matches!(outcome, Err(Error::Corrupt { .. })), "{outcome:?}");
}

#[test]
fn a_pin_whose_owner_is_missing_is_damage() {
    let (folder, mut store) = opened();
    assert_eq!(block_on(store.claim(vec![pin(1)])), [Ok(())]);
    drop(store);
    let file = folder.path().join("c.db");
    let spoil = "DELETE FROM owners";
    Connection::open(&file)
        .unwrap()
        .execute_batch(spoil)
        .unwrap();
    let mut store = SqliteStore::open(&file).unwrap();
    let error = block_on(store.load(LEASE)).unwrap_err();
    assert!(error.to_string().contains("/1 has no owner 1"), "{error}");
    assert!(matches!(error, Error::Corrupt { .. }));
}

#[test]
fn owners_without_pins_are_cleared_away_when_it_is_loaded() {
    let (folder, mut store) = opened();
    for owner in 1..=3 {
        let record = pin_of("/a", owner, u64::try_from(owner).unwrap());
        assert_eq!(block_on(store.claim(vec![record])), [Ok(())]);
    }
    drop(store);
    drop(reopened(&folder));
    let connection = Connection::open(folder.path().join("c.db")).unwrap();
    let sql = "SELECT count(*) FROM owners";
    assert_eq!(connection.query_row(sql, [], |row| row.get(0)), Ok(1));
}

#[test]
fn the_highest_epoch_that_fits_is_taken_and_a_higher_one_refused() {
    let (folder, mut store) = opened();
    let records = vec![
        pin_of("/a", 1, EPOCH_MAX.get() + 1),
        pin_of("/b", 1, u64::MAX),
        pin_of("/c", 1, EPOCH_MAX.get()),
    ];
    let outcomes = block_on(store.claim(records));
    assert!(matches!(outcomes[0], Err(Error::EpochTooHigh { .. })));
    assert!(matches!(outcomes[1], Err(Error::EpochTooHigh { .. })));
    assert_eq!(outcomes[2], Ok(()));
    drop(store);
    let (mut store, loaded) = reopened(&folder);
    assert_eq!(loaded.first_epoch, EPOCH_MAX.next());
    assert_eq!(loaded.pins, [pin_of("/c", 1, EPOCH_MAX.get())]);
    let key = loaded.pins[0].key.clone();
    assert_eq!(
        block_on(store.release(vec![(key, Epoch::new(u64::MAX))])),
        Ok(())
    );
    drop(store);
    assert_eq!(reopened(&folder).1.pins, []);
}

#[test]
fn a_file_that_was_put_back_from_a_copy_repeats_no_epoch() {
    let (folder, mut store) = opened();
    let first = block_on(store.load(LEASE)).unwrap().first_epoch;
    drop(store);
    let connection = Connection::open(folder.path().join("c.db")).unwrap();
    let older = "UPDATE state SET next_epoch = 5";
    connection.execute_batch(older).unwrap();
    drop(connection);
    assert!(reopened(&folder).1.first_epoch > first);
}

#[test]
fn dropping_the_store_carries_out_what_was_asked() {
    let (folder, mut store) = opened();
    let held = hold_up(&store);
    let answers: Vec<_> = (0..10_000)
        .map(|it| store.claim(vec![pin(it)]).boxed())
        .collect();
    let closed = store.closed();
    let dropped = thread::spawn(move || drop(store));
    drop(held);
    for answer in answers {
        assert_eq!(block_on(answer), [Ok(())]);
    }
    block_on(closed);
    dropped.join().unwrap();
    assert_eq!(reopened(&folder).1.pins.len(), 10_000);
}

#[test]
fn nobody_waits_for_a_thread_that_has_ended() {
    let (_folder, mut store) = opened();
    let held = hold_up(&store);
    run(&store, |_| panic!("a test ends the store's thread"));
    let answer = store.claim(vec![pin(1)]);
    drop(held);
    let ended = [Err(queue::ended())];
    assert_eq!(soon(answer), ended);
    soon(store.closed());
    assert_eq!(soon(store.claim(vec![pin(1)])), ended);
}
