//! The answers the library gives itself, in the JSON form that clients of a controller know. They
//! tell what happened and never why: reasons are for the log.

use bytes::Bytes;
use constellation_actors::placement::key::ResourceKey;

use crate::response::Response;

/// What a handler did instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It failed or panicked.
    Internal,
    /// It took longer than it may.
    Timeout,
}

impl Problem {
    /// The answer for a request to `key`.
    pub(crate) fn response(self, key: &ResourceKey) -> Response {
        let (status, error, message, what) = match self {
            Self::Internal => (
                500,
                "InternalError",
                "An internal error has been encountered.",
                "The worker failed to answer a request for",
            ),
            Self::Timeout => (
                504,
                "Timeout",
                "The request was not completed within the specified timeout interval.",
                "The worker took too long to answer a request for",
            ),
        };
        let description = serde_json::Value::from(format!("{what} resource {key}."));
        let body = format!(
            r#"{{"Error":"{error}","Message":"{message}","StatusCode":{status},"Description":{description}}}"#
        );
        Response::new(status).body(Bytes::from(body))
    }
}
