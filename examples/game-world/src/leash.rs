//! Ties this process to the one that started it: when that one ends, whatever the way, so does this.
//! The other one holds the writing end of this one's standard input, and never writes; the system
//! closes it with its process.

use std::{io::Read, thread};

/// Ends this process when its standard input ends.
pub(crate) fn tie() {
    thread::spawn(|| {
        let mut input = std::io::stdin().lock();
        let mut byte = [0];
        while matches!(input.read(&mut byte), Ok(1..)) {}
        log::error!("whoever started this process has ended, and so does it");
        std::process::exit(1);
    });
}
