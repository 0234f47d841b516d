//! A thread that only notices when it did not run: then its process was stopped, or the machine was
//! too busy for it. It stands apart from the threads that do the work, so that their faults do not
//! pass for the machine's.

use std::{sync::Arc, thread, time::Duration};

use super::Site;
use crate::{clock::now, journal::Record};

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(20);

/// What it takes for a gap: less than half of the least margin of a lease.
const GAP_MIN: Duration = Duration::from_millis(60);

/// Starts the thread. It ends with the process.
pub(super) fn start(site: Arc<Site>) {
    thread::spawn(move || {
        let mut last = now();
        loop {
            thread::park_timeout(INTERVAL);
            let woke = now();
            if woke.since(last) >= GAP_MIN {
                site.journal.write(&Record::Gap(last, woke));
            }
            last = woke;
        }
    });
}
