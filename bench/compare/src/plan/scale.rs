//! How Constellation does with many keys.

use std::time::Duration;

use super::{Notebook, Plan, micros};
use crate::{
    case::Case,
    error::Error,
    failover,
    figure::Measure,
    keys,
    peer::{self, Peer, Store, constellation::Setup},
    usage::{available_kib, memory_kib},
    used::Used,
};

/// The most keys that are pinned in the SQLite store.
const SQLITE_PINS_MAX: u64 = 100_000;

/// More keys than this are pinned in the first round only, because that takes ten minutes.
const REPEATED_PINS_MAX: u64 = 1_000_000;

/// What a pinned key takes of the memory of the controller and its owner together, with some to spare.
const BYTES_PER_PIN: u64 = 1_200;

/// How many keys are looked at for the death of a worker.
const SAMPLE: usize = 100;

impl Plan {
    pub(super) fn scale(&self, notebook: &mut Notebook<'_>) -> Result<(), Error> {
        if !self.takes(Peer::Constellation) {
            return Ok(());
        }
        for store in Store::ALL {
            for &pins in &self.pins {
                let stored = store == Store::Memory || pins <= SQLITE_PINS_MAX;
                let wanted = notebook.round == 1 || pins <= REPEATED_PINS_MAX;
                if !stored || !wanted {
                    continue;
                }
                let (needed, left) = (pins.saturating_mul(BYTES_PER_PIN) / 1024, available_kib()?);
                if needed > left {
                    eprintln!("{pins} pins are left out: they take {needed} KiB, {left} are left");
                    continue;
                }
                self.scale_to(store, pins, notebook)?;
            }
        }
        Ok(())
    }

    fn scale_to(&self, store: Store, pins: u64, notebook: &mut Notebook<'_>) -> Result<(), Error> {
        let case = Case::Scale { store, pins };
        let peer = Peer::Constellation;
        notebook.say(case, peer);
        let mut running = peer::constellation(&Setup {
            store,
            settings: vec![
                // Beside the keys, the one that was asked for at the start.
                format!("Placement.KeysMax={}", pins + 1),
                "Ownership.OnDisconnect=Reassign".to_owned(),
            ],
            ..Setup::of(1)
        })?;
        let mut note = |measure, value| notebook.note(case, peer, measure, value);
        let pinned = keys::pin(running.port, pins)?;
        note(
            Measure::PinsPerSecond,
            pinned.answers as f64 / pinned.time.as_secs_f64(),
        );
        note(
            Measure::PinLongestMillis,
            pinned.longest.as_secs_f64() * 1e3,
        );
        keys::visit(running.port, pins, Duration::from_secs(1))?;
        let before = Used::of(&running)?;
        let found = keys::visit(running.port, pins, self.time())?;
        let used = Used::of(&running)?.since(&before);
        let (count, time) = (found.answers.max(1) as f64, found.time.as_secs_f64());
        note(Measure::RequestsPerSecond, count / time);
        note(Measure::P50Micros, micros(found.p50));
        note(Measure::P99Micros, micros(found.p99));
        note(Measure::ProxyMicros, micros(used.proxy) / count);
        let (memory, _) = memory_kib(&running.proxy)?;
        note(Measure::ProxyMib, memory as f64 / 1024.0);
        let took = failover::drop_a_worker(&mut running, keys::some(pins, SAMPLE))?;
        note(Measure::DropMillis, took.as_secs_f64() * 1e3);
        // A worker gives all of its keys back when it is told to end; nobody needs that here.
        running.kill()
    }
}
