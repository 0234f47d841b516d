//! The death of a worker, as clients see it.

use std::time::{Duration, Instant};

use crate::{
    error::Error,
    http::Connection,
    keys,
    peer::{Running, constellation::worker_id},
};

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Kills the first worker, and asks for those of `sample` that were its own, one after the other and
/// each until another worker answers: how long it took until the last of them that was not answered at
/// once, or the first if all others were.
///
/// What a client waits for is an answer, so that is what is measured: the controller says that keys
/// have no owner as soon as it knows that their worker is gone, and clears them away while it serves
/// others.
///
/// # Errors
///
/// When the worker had none of them, or nobody else answers for them in time.
#[expect(
    clippy::disallowed_methods,
    reason = "a program that measures has a clock"
)]
pub(crate) fn drop_a_worker(
    running: &mut Running,
    sample: impl Iterator<Item = u64>,
) -> Result<Duration, Error> {
    let (port, dead) = (running.port, worker_id(0));
    let mut lost = Vec::new();
    let mut connection = Connection::open(port)?;
    for key in sample {
        if owner(&mut connection, key)?.is_some_and(|owner| owner == dead) {
            lost.push(key);
        }
    }
    let begun = Instant::now();
    running.far[0].kill()?;
    let mut took = None;
    for key in lost {
        let mut at_once = true;
        // A request that the controller sent to the dead worker fails.
        while owner(&mut connection, key)?.is_none_or(|owner| owner == dead) {
            at_once = false;
            if begun.elapsed() > PATIENCE {
                let message = format!("nobody else answered for a key within {PATIENCE:?}");
                return Err(Error::Program(message));
            }
        }
        if took.is_none() || !at_once {
            took = Some(begun.elapsed());
        }
    }
    took.ok_or_else(|| Error::Program("the worker had none of the keys".to_owned()))
}

/// Who answers for a key; `None` when nobody does.
fn owner(connection: &mut Connection, key: u64) -> Result<Option<String>, Error> {
    let mut question = Vec::new();
    keys::request(key, &mut question);
    connection.send(&question)?;
    let answer = connection.receive()?;
    Ok(answer.worker.filter(|_| answer.status == 200))
}
