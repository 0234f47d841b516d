//! What a path of the admin API names, and what can be done with it.

use constellation_actors::placement::{key::ResourceKey, worker::WorkerId};

use super::problem::Problem;

/// Something that has a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// Every worker.
    Workers,
    /// One worker.
    Worker(WorkerId),
    /// An order about a worker.
    Order(WorkerId, Verb),
    /// Pages of keys.
    Keys,
    /// One key.
    Key,
    /// An order to hand a key over.
    Move,
    /// An order to take a key from its owner.
    Unpin,
    /// Whether keys are moved so that workers have equally many.
    Rebalance,
    /// How often what happened.
    Counters,
}

/// What is to be done with a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Drain,
    Cordon,
    Uncordon,
}

impl Resource {
    /// What a path names; `None` when it names nothing.
    pub(super) fn find(path: &str) -> Result<Option<Self>, Problem> {
        let Some(path) = path.strip_prefix("/v1/") else {
            return Ok(None);
        };
        let id = |text: &str| {
            let wrong = |wrong| Problem::BadRequest(format!("The worker {text:?} {wrong}."));
            worker(text).map_err(wrong)
        };
        let parts: Vec<_> = path.split('/').collect();
        Ok(Some(match *parts {
            ["workers"] => Self::Workers,
            ["workers", worker] => Self::Worker(id(worker)?),
            ["workers", worker, "drain"] => Self::Order(id(worker)?, Verb::Drain),
            ["workers", worker, "cordon"] => Self::Order(id(worker)?, Verb::Cordon),
            ["workers", worker, "uncordon"] => Self::Order(id(worker)?, Verb::Uncordon),
            ["keys"] => Self::Keys,
            ["key"] => Self::Key,
            ["key", "move"] => Self::Move,
            ["key", "unpin"] => Self::Unpin,
            ["rebalance"] => Self::Rebalance,
            ["counters"] => Self::Counters,
            _ => return Ok(None),
        }))
    }

    /// The methods it takes.
    pub(super) const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Workers | Self::Worker(_) | Self::Keys | Self::Key | Self::Counters => {
                &["GET", "HEAD"]
            }
            Self::Order(..) | Self::Move | Self::Unpin => &["POST"],
            Self::Rebalance => &["GET", "HEAD", "PUT"],
        }
    }

    /// The parameters that its query may have.
    pub(super) const fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Keys => &["prefix", "worker", "after", "limit"],
            Self::Key => &["key"],
            Self::Workers
            | Self::Worker(_)
            | Self::Order(..)
            | Self::Move
            | Self::Unpin
            | Self::Rebalance
            | Self::Counters => &[],
        }
    }
}

/// Reads a key, or tells what is wrong with it.
pub(super) fn key(text: &str) -> Result<ResourceKey, String> {
    ResourceKey::parse(text).map_err(|error| format!("is no key: {error}"))
}

/// Reads a worker's id, or tells what is wrong with it.
pub(super) fn worker(text: &str) -> Result<WorkerId, String> {
    let uuid = text.parse().map_err(|_| "is no UUID".to_owned())?;
    Ok(WorkerId::new(uuid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_paths_name_something() {
        for path in [
            "/",
            "/v1",
            "/v1/",
            "/v2/workers",
            "/v1/workers/",
            "/v1/key/move/x",
        ] {
            let found = Resource::find(path);
            assert!(
                matches!(found, Ok(None) | Err(Problem::BadRequest(_))),
                "{path}: {found:?}"
            );
        }
        assert!(matches!(
            Resource::find("/v1/keys"),
            Ok(Some(Resource::Keys))
        ));
    }
}
