//! What a request asks of this worker: read from its query, before its body. Pure.

use std::time::Duration;

/// What to answer, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How long to wait before the answer begins (`sleep-ms=N`).
    pub(crate) sleep: Duration,
    /// What the answer's body is.
    pub(crate) body: Body,
}

/// The body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// JSON that describes the request.
    Report,
    /// What the request's body is, as it comes (`echo`).
    Echo,
    /// So many bytes, streamed (`bytes=N`).
    Bytes(u64),
}

/// A member of the query that means something here has no good value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} in the query is not a whole number")]
pub(crate) struct PlanError {
    name: &'static str,
}

impl Plan {
    /// Reads the plan from a raw query; members it does not know mean nothing.
    ///
    /// # Errors
    ///
    /// When `bytes` or `sleep-ms` is not a whole number.
    pub(crate) fn from_query(query: Option<&str>) -> Result<Self, PlanError> {
        let mut plan = Self {
            sleep: Duration::ZERO,
            body: Body::Report,
        };
        for member in query.unwrap_or_default().split('&') {
            let (name, value) = member.split_once('=').unwrap_or((member, ""));
            match name {
                "echo" => plan.body = Body::Echo,
                "bytes" => plan.body = Body::Bytes(number("bytes", value)?),
                "sleep-ms" => plan.sleep = Duration::from_millis(number("sleep-ms", value)?),
                _ => {}
            }
        }
        Ok(plan)
    }
}

fn number(name: &'static str, value: &str) -> Result<u64, PlanError> {
    value.parse().map_err(|_| PlanError { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_to_answer() {
        let plan = |query| Plan::from_query(Some(query)).unwrap();
        assert_eq!(plan("").body, Body::Report);
        assert_eq!(plan("a=1&b").body, Body::Report);
        assert_eq!(plan("echo").body, Body::Echo);
        assert_eq!(plan("x=1&bytes=1073741824").body, Body::Bytes(1 << 30));
        let slow = Plan {
            sleep: Duration::from_millis(250),
            body: Body::Bytes(5),
        };
        assert_eq!(plan("sleep-ms=250&bytes=5"), slow);
        assert_eq!(Plan::from_query(None).unwrap(), plan(""));
    }

    #[test]
    fn a_number_that_is_none_is_named() {
        for (query, name) in [
            ("bytes=", "bytes"),
            ("bytes=-1", "bytes"),
            ("sleep-ms=x", "sleep-ms"),
        ] {
            let error = Plan::from_query(Some(query)).unwrap_err();
            assert!(error.to_string().starts_with(name), "{query}: {error}");
        }
    }
}
