//! A process that claims as fast as it can is killed, again and again; nothing it confirmed is lost.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use constellation_actors::{
    placement::{
        epoch::Epoch,
        key::ResourceKey,
        worker::{Incarnation, WorkerId},
    },
    store::{PinRecord, Store, sqlite::SqliteStore},
};
use futures::{FutureExt as _, executor::block_on, future::join_all};
use uuid::Uuid;

/// Names the file of the process that is to be killed; only that process has it.
const VICTIM: &str = "CONSTELLATION_TEST_VICTIM";

/// How often it is killed.
const LIVES: usize = 12;

/// The keys that are claimed over and over.
const KEYS: u64 = 50;

/// What is under way at a time.
const TOGETHER: usize = 16;

#[test]
fn a_kill_loses_no_confirmed_claim_and_repeats_no_epoch() {
    if let Some(file) = std::env::var_os(VICTIM) {
        claim_until_killed(Path::new(&file));
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("constellation.db");
    let mut confirmed = BTreeMap::new();
    for life in 0..LIVES {
        let lines = 1 + usize::from(Uuid::new_v4().as_bytes()[0]) * 4;
        confirmed.extend(Victim::start(&file).killed_after(lines));

        let mut store = SqliteStore::open(&file).unwrap();
        let loaded = block_on(store.load(Duration::ZERO)).unwrap();
        let pins: BTreeMap<_, _> = loaded
            .pins
            .iter()
            .map(|pin| (pin.key.to_string(), pin.epoch.get()))
            .collect();
        for (key, epoch) in &confirmed {
            let held = pins.get(key);
            assert!(held >= Some(epoch), "life {life}: {key} {held:?} < {epoch}");
        }
        let highest = confirmed.values().chain(pins.values()).max().unwrap();
        assert!(loaded.first_epoch.get() > *highest, "life {life}");
    }
}

/// A process that can be killed once.
struct Victim(Child);

impl Victim {
    fn start(file: &Path) -> Self {
        let name = "store::crash::a_kill_loses_no_confirmed_claim_and_repeats_no_epoch";
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([name, "--exact", "--nocapture"])
            .env(VICTIM, file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Kills it once it has confirmed so many claims, and gives all that it had confirmed by then.
    fn killed_after(mut self, claims: usize) -> BTreeMap<String, u64> {
        let mut output = BufReader::new(self.0.stdout.take().unwrap());
        let mut confirmed = BTreeMap::new();
        let mut seen = 0;
        while let Some((key, epoch)) = next_claim(&mut output) {
            confirmed.insert(key, epoch);
            seen += 1;
            if seen == claims {
                self.0.kill().unwrap();
            }
        }
        assert!(seen >= claims, "it ended by itself after {seen} claims");
        confirmed
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The next whole line that tells of a claim.
fn next_claim(output: &mut BufReader<ChildStdout>) -> Option<(String, u64)> {
    loop {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        // A line without an end was cut off by the kill.
        let line = line.strip_suffix('\n')?;
        if let Some(claim) = line.strip_prefix("confirmed ") {
            let (key, epoch) = claim.split_once(' ').unwrap();
            return Some((key.to_owned(), epoch.parse().unwrap()));
        }
    }
}

fn claim_until_killed(file: &Path) -> ! {
    let mut store = SqliteStore::open(file).unwrap();
    let loaded = block_on(store.load(Duration::ZERO)).unwrap();
    // The harness has begun a line.
    println!();
    let mut epochs = loaded.first_epoch.get()..;
    loop {
        let records: Vec<_> = epochs.by_ref().take(TOGETHER).map(record).collect();
        let answers: Vec<_> = records
            .iter()
            .map(|record| store.claim(vec![record.clone()]).boxed())
            .collect();
        for (record, outcome) in records.iter().zip(block_on(join_all(answers))) {
            assert_eq!(outcome, [Ok(())]);
            println!("confirmed {} {}", record.key, record.epoch);
        }
    }
}

fn record(epoch: u64) -> PinRecord {
    PinRecord {
        key: ResourceKey::parse(&format!("/{}", epoch % KEYS)).unwrap(),
        worker: WorkerId::new(Uuid::from_u128(u128::from(epoch % 7))),
        incarnation: Incarnation::new(Uuid::from_u128(1)),
        epoch: Epoch::new(epoch),
    }
}
