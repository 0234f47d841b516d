//! What a request asks for, read from its method and its query. Pure.

use std::time::Duration;

use crate::names::RequestId;

/// What to do for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The request's id.
    pub(super) id: RequestId,
    /// The effect.
    pub(super) act: Act,
    /// How long to wait with the key still held, before the database is touched (`before-ms=N`).
    pub(super) before: Duration,
    /// How long to wait inside of the transaction that writes (`inside-ms=N`).
    pub(super) inside: Duration,
}

/// The effect of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Adds a row with the request's id.
    Write,
    /// Tells the last row.
    Read,
}

impl Plan {
    /// Reads the plan; `None` without a good `id`.
    pub(super) fn new(method: &str, query: Option<&str>) -> Option<Self> {
        let member = |wanted| {
            let members = query.unwrap_or_default().split('&');
            let mut members = members.filter_map(|member| member.split_once('='));
            let (_, value) = members.find(|(name, _)| *name == wanted)?;
            value.parse::<u64>().ok()
        };
        let milliseconds = |wanted| Duration::from_millis(member(wanted).unwrap_or(0));
        Some(Self {
            id: RequestId(member("id")?),
            act: if method == "POST" {
                Act::Write
            } else {
                Act::Read
            },
            before: milliseconds("before-ms"),
            inside: milliseconds("inside-ms"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_when_to_wait() {
        let plan = Plan::new("POST", Some("id=7&inside-ms=30&before-ms=20")).unwrap();
        assert_eq!((plan.id, plan.act), (RequestId(7), Act::Write));
        assert_eq!(plan.before, Duration::from_millis(20));
        assert_eq!(plan.inside, Duration::from_millis(30));
        assert_eq!(Plan::new("GET", Some("id=7")).unwrap().act, Act::Read);
        assert_eq!(Plan::new("GET", Some("id=x")), None);
        assert_eq!(Plan::new("GET", None), None);
    }
}
