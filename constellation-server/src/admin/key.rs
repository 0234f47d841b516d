//! Keys as JSON: pages of them, and all that is known of one.

use constellation_actors::{
    KeyPage, KeyStatus, OwnerStatus, OwnershipStage, PastOwner,
    placement::{handover, history, worker::WorkerId},
    protocol::json::timestamp,
};
use serde::{Deserialize, Serialize};

use super::worker::{State, milliseconds};

/// A page of keys, in the order of their bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeyList {
    /// The keys.
    pub(crate) keys: Vec<ListedKey>,
    /// What `after` has to be for the next page; null when there is none.
    pub(crate) next: Option<String>,
}

/// A key that has an owner.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ListedKey {
    pub(crate) key: String,
    pub(crate) worker: WorkerId,
    pub(crate) epoch: u64,
    /// Whether its owner was asked to let it go.
    pub(crate) leaving: bool,
}

impl From<KeyPage> for KeyList {
    fn from(page: KeyPage) -> Self {
        let keys = page.keys.into_iter().map(|listed| ListedKey {
            key: listed.key.to_string(),
            worker: listed.worker,
            epoch: listed.epoch.get(),
            leaving: listed.leaving,
        });
        Self {
            keys: keys.collect(),
            next: page.next,
        }
    }
}

/// All that is known of one key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeyReport {
    pub(crate) key: String,
    /// Null when nobody owns it.
    pub(crate) owner: Option<Owner>,
    /// How many of its requests wait.
    pub(crate) waiting: usize,
    /// Who would get it, if it had no owner and were asked for now.
    pub(crate) next: Option<WorkerId>,
    /// How it lost its owners, latest first.
    pub(crate) history: Vec<Past>,
}

/// The owner of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Owner {
    pub(crate) worker: WorkerId,
    pub(crate) epoch: u64,
    pub(crate) state: State,
    pub(crate) stage: Stage,
    /// Why and where it goes, in the stage `leaving`.
    pub(crate) leaving: Option<Leaving>,
    pub(crate) lease_left_ms: u64,
    /// How long nobody has used the key.
    pub(crate) unused_ms: Option<u64>,
}

/// How far an ownership is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Stage {
    /// The store has not confirmed it.
    Claimed,
    /// It is in force.
    Held,
    /// The worker was asked to let the key go.
    Leaving,
}

/// Why and where a key goes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Leaving {
    pub(crate) cause: Cause,
    /// The worker that was named; null when none was.
    pub(crate) to: Option<WorkerId>,
}

/// Why a key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Cause {
    /// An operator moves it.
    Move,
    /// An operator unpins it.
    Unpin,
    /// Its worker is drained.
    Drain,
    /// Nobody uses it.
    Idle,
    /// Its worker lets it go of its own accord.
    Release,
    /// Its worker has more keys than others.
    Rebalance,
}

impl Cause {
    /// What it says of a key that goes.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Move => "it is moved",
            Self::Unpin => "it is unpinned",
            Self::Drain => "the worker is drained",
            Self::Idle => "nobody uses it",
            Self::Release => "the worker lets it go",
            Self::Rebalance => "the worker has more keys than others",
        }
    }
}

impl From<handover::Cause> for Cause {
    fn from(cause: handover::Cause) -> Self {
        match cause {
            handover::Cause::Move => Self::Move,
            handover::Cause::Unpin => Self::Unpin,
            handover::Cause::Drain => Self::Drain,
            handover::Cause::Idle => Self::Idle,
            handover::Cause::Release => Self::Release,
            handover::Cause::Rebalance => Self::Rebalance,
        }
    }
}

/// An ownership that is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Past {
    pub(crate) worker: WorkerId,
    pub(crate) epoch: u64,
    /// How it ended, as a word for programs.
    pub(crate) ending: Ending,
    /// The same for people.
    pub(crate) reason: String,
    /// When.
    pub(crate) ended: String,
    /// The same as an age.
    pub(crate) ended_ms: u64,
}

/// How an ownership ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Ending {
    /// Its worker said goodbye.
    Goodbye,
    /// Its worker's connection ended, and nothing was waited for.
    Disconnected,
    /// Its worker's lease ended.
    LeaseEnded,
    /// Its worker released it of its own accord.
    Released,
    /// An operator moved it.
    Moved,
    /// An operator unpinned it.
    Unpinned,
    /// Its worker was drained.
    Drained,
    /// Nobody used it.
    Idle,
    /// Its worker had more keys than others.
    Rebalanced,
    /// Another worker turned out to hold it under a higher epoch.
    Superseded,
}

impl From<history::Ending> for Ending {
    fn from(ending: history::Ending) -> Self {
        match ending {
            history::Ending::Goodbye => Self::Goodbye,
            history::Ending::Disconnected => Self::Disconnected,
            history::Ending::LeaseEnded => Self::LeaseEnded,
            history::Ending::Released => Self::Released,
            history::Ending::Moved => Self::Moved,
            history::Ending::Unpinned => Self::Unpinned,
            history::Ending::Drained => Self::Drained,
            history::Ending::Idle => Self::Idle,
            history::Ending::Rebalanced => Self::Rebalanced,
            history::Ending::Superseded => Self::Superseded,
        }
    }
}

impl KeyReport {
    /// A key as it is now, by the wall clock.
    pub(super) fn new(status: &KeyStatus, now_unix_micros: u64) -> Self {
        let history = status.history.iter();
        Self {
            key: status.key.to_string(),
            owner: status.owner.as_ref().map(Owner::from),
            waiting: status.waiting,
            next: status.next,
            history: history
                .map(|past| Past::new(past, now_unix_micros))
                .collect(),
        }
    }
}

impl From<&OwnerStatus> for Owner {
    fn from(owner: &OwnerStatus) -> Self {
        let (stage, leaving) = match owner.stage {
            OwnershipStage::Claimed => (Stage::Claimed, None),
            OwnershipStage::Held => (Stage::Held, None),
            OwnershipStage::Leaving { cause, to } => {
                let cause = cause.into();
                (Stage::Leaving, Some(Leaving { cause, to }))
            }
        };
        Self {
            worker: owner.worker,
            epoch: owner.epoch.get(),
            state: owner.state.into(),
            stage,
            leaving,
            lease_left_ms: milliseconds(owner.lease_left),
            unused_ms: owner.unused.map(milliseconds),
        }
    }
}

impl Past {
    fn new(past: &PastOwner, now_unix_micros: u64) -> Self {
        Self {
            worker: past.worker,
            epoch: past.epoch.get(),
            ending: past.ending.into(),
            reason: past.ending.to_string(),
            ended: timestamp::format(past.ended_unix_micros),
            ended_ms: now_unix_micros.saturating_sub(past.ended_unix_micros) / 1000,
        }
    }
}
