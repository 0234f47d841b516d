//! Finds the worker that an operator means: by its id, the beginning of its id, or its name.

use std::fmt;

use constellation_actors::placement::worker::WorkerId;

use super::words::printable;
use crate::admin::worker::Worker;

/// Why it cannot be told which worker is meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// None is.
    #[error("no worker is called {text:?}, and no id begins so; {known}")]
    Unknown {
        /// What was typed.
        text: String,
        /// Those that are there.
        known: Candidates,
    },
    /// Several are.
    #[error("{text:?} may be one of several workers; {candidates}")]
    Ambiguous {
        /// What was typed.
        text: String,
        /// Those it may be.
        candidates: Candidates,
    },
}

/// Workers to choose among: ids and names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Candidates(Vec<(WorkerId, String)>);

impl fmt::Display for Candidates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("there are no workers");
        }
        formatter.write_str("there are")?;
        self.0
            .iter()
            .try_for_each(|(id, name)| write!(formatter, "\n  {id} {}", printable(name)))
    }
}

/// Finds the one worker that `text` means. A whole id is taken although nobody has it: the
/// controller may know of it.
pub(super) fn pick(text: &str, workers: &[Worker]) -> Result<WorkerId, Error> {
    if let Ok(uuid) = text.parse() {
        return Ok(WorkerId::new(uuid));
    }
    let beginning = text.to_ascii_lowercase();
    let named = candidates(workers.iter().filter(|worker| worker.name == text));
    // A name was chosen by somebody, an id by chance: a name wins.
    let candidates = if text.is_empty() || !named.0.is_empty() {
        named
    } else {
        let begins = |worker: &&Worker| worker.id.to_string().starts_with(&beginning);
        candidates(workers.iter().filter(begins))
    };
    let text = text.to_owned();
    match candidates.0.as_slice() {
        [(id, _)] => Ok(*id),
        [] => Err(Error::Unknown {
            text,
            known: self::candidates(workers.iter()),
        }),
        _ => Err(Error::Ambiguous { text, candidates }),
    }
}

/// Each worker once, although it may be listed with an earlier life.
fn candidates<'a>(workers: impl Iterator<Item = &'a Worker>) -> Candidates {
    let mut candidates: Vec<_> = workers
        .map(|worker| (worker.id, worker.name.clone()))
        .collect();
    candidates.sort();
    candidates.dedup_by_key(|(id, _)| *id);
    Candidates(candidates)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "abc00000-0000-4000-8000-000000000001";
    const TWO: &str = "abd00000-0000-4000-8000-000000000002";

    fn worker(id: &str, name: &str) -> Worker {
        serde_json::from_value(json!({
            "id": id, "name": name, "labels": {}, "address": null, "state": "live",
            "healthy": true, "cordoned": false, "leased": true, "keys": 0, "capacity": null,
            "leaseLeftMs": 1, "leaving": 0, "tunnels": 0, "draining": null, "connectedSince": null,
            "connectedMs": null, "lastHeard": "", "lastHeardMs": 0
        }))
        .unwrap()
    }

    fn picked(text: &str, workers: &[Worker]) -> Result<String, Error> {
        pick(text, workers).map(|id| id.to_string())
    }

    #[test]
    fn an_id_its_beginning_and_a_name_are_understood() {
        let workers = [worker(ONE, "a"), worker(TWO, "b")];
        assert_eq!(picked("abd", &workers).unwrap(), TWO);
        assert_eq!(picked("ABC00", &workers).unwrap(), ONE);
        assert_eq!(picked("b", &workers[..]).unwrap(), TWO);
        assert_eq!(picked(TWO, &[]).unwrap(), TWO);
        let twice = [worker(ONE, "a"), worker(ONE, "a")];
        assert_eq!(picked("a", &twice).unwrap(), ONE);
    }

    #[test]
    fn what_may_be_several_is_refused_with_a_list_of_them() {
        let workers = [worker(ONE, "same"), worker(TWO, "same")];
        for text in ["same", "ab"] {
            let error = picked(text, &workers).unwrap_err().to_string();
            assert!(error.contains(ONE) && error.contains(TWO), "{error}");
        }
    }

    #[test]
    fn a_name_wins_over_the_beginning_of_an_id() {
        let workers = [worker(ONE, "abd"), worker(TWO, "b")];
        assert_eq!(picked("abd", &workers).unwrap(), ONE);
    }

    #[test]
    fn what_is_nobody_is_refused_with_a_list_of_all() {
        let error = picked("", &[worker(ONE, "a")]).unwrap_err().to_string();
        assert!(error.contains(ONE), "{error}");
    }
}
