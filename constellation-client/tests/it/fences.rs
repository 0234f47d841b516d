//! What a fence does for a process that was stopped and goes on: shown with processes that are.
//!
//! A place where a companion halts is one where its process can be stopped for certain: it waits for
//! the test there, and the word to pass reaches it only after it goes on.

use crate::support::companion::part;

mod directory;
#[cfg(feature = "sqlite")]
mod lease;
#[cfg(feature = "sqlite")]
mod sqlite;

/// The path of the function below, for the test program's filter.
const PARTS: &str = "fences::a_companion_plays_its_part";

#[test]
fn a_companion_plays_its_part() {
    let Some((part, argument)) = part() else {
        return;
    };
    match part.as_str() {
        "directory writer" => directory::write(argument.as_ref()),
        #[cfg(feature = "sqlite")]
        "sqlite writer" => sqlite::write(argument.as_ref()),
        #[cfg(feature = "sqlite")]
        "sqlite reader" => sqlite::read(argument.as_ref()),
        #[cfg(feature = "sqlite")]
        "worker" => lease::work(&argument, lease::act_slowly),
        #[cfg(feature = "sqlite")]
        "worker with the lock" => lease::work(&argument, lease::act_with_the_lock),
        other => panic!("there is no part {other}"),
    }
}
