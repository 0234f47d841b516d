//! `drain`: begins it, and waits until the worker is empty.

use std::{io::Write, time::Duration};

use actix_web::rt::time::sleep;
use constellation_actors::placement::worker::WorkerId;

use super::{
    Error as AnyError, Session,
    words::{count, duration},
};
use crate::{admin::worker::Worker, clock::Stopwatch};

/// How long until it is looked again how far a drain is.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Why a drain does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An operator let the worker get keys again.
    #[error("the drain of {name} was called off; it has {} left", count(*.left, "key"))]
    CalledOff {
        /// The worker.
        name: String,
        /// How many keys it still has.
        left: usize,
    },
}

/// How far a drain is.
enum Progress {
    /// It goes on.
    Moving {
        total: usize,
        left: usize,
        tunnels: usize,
    },
    /// The worker has no keys any more.
    Empty { json: String },
    /// It was stopped halfway.
    CalledOff { left: usize },
    /// The worker has gone.
    Gone,
}

impl<W: Write> Session<'_, W> {
    pub(super) async fn drain(&mut self, text: &str, no_wait: bool) -> Result<(), AnyError> {
        let (worker, name) = self.pick(text).await?;
        let begun = Stopwatch::start();
        let reply = self.order(worker, "drain").await?;
        let state: Option<Worker> = reply.read()?;
        let draining = state.and_then(|worker| worker.draining);
        let keys = draining.map_or(0, |draining| draining.total);
        if no_wait {
            return self.tell(&reply.json, || {
                let keys = count(keys, "key");
                format!("{name} is drained of {keys}; `constellation workers` shows how far it is")
            });
        }
        let mut told = None;
        loop {
            let took = || duration(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
            match self.progress(worker).await? {
                Progress::Moving {
                    total,
                    left,
                    tunnels,
                } => {
                    if !self.json && told != Some((left, tunnels)) {
                        let moved = total.saturating_sub(left);
                        let keys = count(total, "key");
                        let tunnels_open = match tunnels {
                            0 => String::new(),
                            _ => format!(", {} open", count(tunnels, "websocket")),
                        };
                        self.print(&format!("{moved} of {keys} moved{tunnels_open}"))?;
                        told = Some((left, tunnels));
                    }
                }
                Progress::Empty { json } => {
                    return self.tell(&json, || {
                        let keys = count(keys, "key");
                        format!(
                            "{name} is empty: {keys} moved in {}. It gets no new keys until \
                             `constellation uncordon`.",
                            took()
                        )
                    });
                }
                Progress::CalledOff { left } => {
                    return Err(Error::CalledOff { name, left }.into());
                }
                Progress::Gone => {
                    return self.tell("null", || format!("{name} has gone; it holds nothing."));
                }
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Looks at every life of the worker: an earlier one may still hold keys.
    async fn progress(&self, id: WorkerId) -> Result<Progress, AnyError> {
        let workers = self.listed().await?;
        let lives: Vec<_> = workers.iter().filter(|worker| worker.id == id).collect();
        let Some(latest) = lives.last() else {
            return Ok(Progress::Gone);
        };
        let left = lives.iter().map(|life| life.keys).sum();
        let draining: Vec<_> = lives.iter().filter_map(|life| life.draining).collect();
        Ok(if left == 0 {
            let json = serde_json::to_string(latest).expect("a worker is always JSON");
            Progress::Empty { json }
        } else if draining.is_empty() {
            Progress::CalledOff { left }
        } else {
            let total = draining.iter().map(|draining| draining.total).sum();
            let tunnels = lives.iter().map(|life| life.tunnels).sum();
            Progress::Moving {
                total,
                left,
                tunnels,
            }
        })
    }
}
