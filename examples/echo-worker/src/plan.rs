//! What a request asks of this worker: read from its query, before its body. Pure.

use std::{ops::RangeInclusive, str::FromStr, time::Duration};

/// What to answer, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How long to wait before the answer begins (`sleep-ms=N`).
    pub(crate) sleep: Duration,
    /// What the answer's body is.
    pub(crate) body: Body,
    /// How long to wait before each event but the first (`every-ms=N`).
    pub(crate) every: Duration,
    /// The answer's status (`status=N`), 200 to 599.
    pub(crate) status: Option<u16>,
    /// How many cookies the answer sets (`cookies=N`), at most 50.
    pub(crate) cookies: u8,
    /// The length of a header `x-large` (`header-bytes=N`); none when it is 0.
    pub(crate) header_bytes: u16,
    /// Whether a websocket says goodbye when its key is given back (`goodbye`).
    pub(crate) goodbye: bool,
}

/// The body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// JSON that describes the request.
    Report,
    /// What the request's body is, as it comes (`echo`).
    Echo,
    /// So many bytes, streamed (`bytes=N`); a part of them if the request asks for a range.
    Bytes(u64),
    /// So many server-sent events (`events=N`).
    Events(u64),
}

/// A member of the query that means something here has no good value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} in the query is not a whole number that it can be")]
pub(crate) struct PlanError {
    name: &'static str,
}

impl Plan {
    /// Reads the plan from a raw query; members it does not know mean nothing.
    ///
    /// # Errors
    ///
    /// When a number is none, or too large.
    pub(crate) fn from_query(query: Option<&str>) -> Result<Self, PlanError> {
        let mut plan = Self {
            sleep: Duration::ZERO,
            body: Body::Report,
            every: Duration::ZERO,
            status: None,
            cookies: 0,
            header_bytes: 0,
            goodbye: false,
        };
        for member in query.unwrap_or_default().split('&') {
            let (name, value) = member.split_once('=').unwrap_or((member, ""));
            match name {
                "goodbye" => plan.goodbye = true,
                "echo" => plan.body = Body::Echo,
                "bytes" => plan.body = Body::Bytes(number("bytes", value)?),
                "events" => plan.body = Body::Events(number("events", value)?),
                "every-ms" => plan.every = Duration::from_millis(number("every-ms", value)?),
                "sleep-ms" => plan.sleep = Duration::from_millis(number("sleep-ms", value)?),
                "status" => plan.status = Some(within("status", value, 200..=599)?),
                "cookies" => plan.cookies = within("cookies", value, 0..=50)?,
                "header-bytes" => plan.header_bytes = number("header-bytes", value)?,
                _ => {}
            }
        }
        Ok(plan)
    }
}

fn number<T: FromStr>(name: &'static str, value: &str) -> Result<T, PlanError> {
    value.parse().map_err(|_| PlanError { name })
}

fn within<T: FromStr + PartialOrd>(
    name: &'static str,
    value: &str,
    range: RangeInclusive<T>,
) -> Result<T, PlanError> {
    let found = number(name, value)?;
    range
        .contains(&found)
        .then_some(found)
        .ok_or(PlanError { name })
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
        assert!(plan("goodbye").goodbye && !plan("good").goodbye);
        assert_eq!(plan("x=1&bytes=1073741824").body, Body::Bytes(1 << 30));
        let slow = plan("sleep-ms=250&bytes=5");
        assert_eq!(slow.sleep, Duration::from_millis(250));
        assert_eq!(slow.body, Body::Bytes(5));
        let events = plan("events=3&every-ms=100");
        assert_eq!(events.body, Body::Events(3));
        assert_eq!(events.every, Duration::from_millis(100));
        let odd = plan("status=204&cookies=2&header-bytes=9000");
        assert_eq!(
            (odd.status, odd.cookies, odd.header_bytes),
            (Some(204), 2, 9000)
        );
        assert_eq!(Plan::from_query(None).unwrap(), plan(""));
    }

    #[test]
    fn a_number_that_is_none_is_named() {
        for (query, name) in [
            ("bytes=", "bytes"),
            ("bytes=-1", "bytes"),
            ("sleep-ms=x", "sleep-ms"),
            ("status=100", "status"),
            ("status=600", "status"),
            ("cookies=51", "cookies"),
            ("header-bytes=65536", "header-bytes"),
        ] {
            let error = Plan::from_query(Some(query)).unwrap_err();
            assert!(error.to_string().starts_with(name), "{query}: {error}");
        }
    }
}
