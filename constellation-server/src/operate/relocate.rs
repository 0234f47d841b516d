//! `move` and `unpin`: what is ordered about one key.

use std::{io::Write, time::Duration};

use actix_web::rt::time::sleep;

use super::{Error as AnyError, Session, client::Reply, names::Names, pick::pick};
use crate::{
    admin::{
        key::{KeyReport, Owner, Stage},
        order::{KeyOrder, MoveOrder},
    },
    arguments::operator::MoveArguments,
    clock::Stopwatch,
};

/// How long until it is looked again where a key is.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How often a key may be found without an owner before that counts as the outcome.
const WITHOUT_OWNER_MAX: u32 = 3;

/// Why a key did not get where it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody could take it.
    #[error("{key} left its owner, but nobody took it; its next request finds it one")]
    NobodyTookIt {
        /// The key.
        key: String,
    },
    /// Its worker kept it.
    #[error("{key} stays where it is, under epoch {epoch}: the move did not come about")]
    Stayed {
        /// The key.
        key: String,
        /// The epoch its owner holds it under.
        epoch: u64,
    },
}

impl<W: Write> Session<'_, W> {
    pub(super) async fn relocate(&mut self, arguments: &MoveArguments) -> Result<(), AnyError> {
        let workers = self.listed().await?;
        let names = Names::new(&workers);
        let to = arguments.worker.as_deref();
        let worker = to.map(|text| pick(text, &workers)).transpose()?;
        let key = arguments.key.clone();
        let before: KeyReport = self.asked(&key).await?.read()?;
        let begun = Stopwatch::start();
        let order = MoveOrder { key, worker };
        let reply = self.client.post("/v1/key/move", &order).await?;
        let key = order.key;
        if arguments.no_wait {
            return self.tell(&reply.json, || {
                format!("{key} is on its way; `constellation explain` shows where it is")
            });
        }
        let before = before.owner.map_or(0, |owner| owner.epoch);
        let (reply, owner) = self.arrived(&key, before).await?;
        self.tell(&reply.json, || {
            let (name, epoch) = (names.full(owner.worker), owner.epoch);
            let took = begun.elapsed().as_millis();
            format!("{key} is held by {name} under epoch {epoch}, after {took} ms")
        })
    }

    /// Waits until a key is held under a higher epoch than `before`.
    async fn arrived(&self, key: &str, before: u64) -> Result<(Reply, Owner), AnyError> {
        let (mut without, mut stayed) = (0, 0);
        loop {
            let reply = self.asked(key).await?;
            let report: KeyReport = reply.read()?;
            let key = key.to_owned();
            match report.owner {
                Some(owner) if owner.epoch > before && owner.stage == Stage::Held => {
                    return Ok((reply, owner));
                }
                // The order had begun when it was answered, so this is its outcome.
                Some(Owner {
                    stage: Stage::Held,
                    epoch,
                    ..
                }) => {
                    stayed += 1;
                    if stayed == WITHOUT_OWNER_MAX {
                        return Err(Error::Stayed { key, epoch }.into());
                    }
                }
                Some(Owner {
                    stage: Stage::Claimed | Stage::Leaving,
                    ..
                }) => (without, stayed) = (0, 0),
                None => {
                    without += 1;
                    if without == WITHOUT_OWNER_MAX {
                        return Err(Error::NobodyTookIt { key }.into());
                    }
                }
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    pub(super) async fn unpin(&mut self, key: &str) -> Result<(), AnyError> {
        let order = KeyOrder {
            key: key.to_owned(),
        };
        let reply = self.client.post("/v1/key/unpin", &order).await?;
        self.tell(&reply.json, || {
            format!("{key} is taken from its owner; its next request finds it one")
        })
    }
}
