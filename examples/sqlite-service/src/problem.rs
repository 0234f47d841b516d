//! What went wrong, as the client is told: one JSON form for every error, the controller's own.

use std::{error::Error as _, time::Duration};

use serde::Serialize;

use crate::{
    database::Failure,
    name::NameError,
    query::{BODY_BYTES_MAX, QueryError},
};

/// An answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    kind: Kind,
    description: String,
}

/// The errors there are; each has a name, a status and a general message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    BadRequest,
    RequestBodyMissing,
    DeserializationError,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    Timeout,
    Overloaded,
    OwnerChanged,
    InsufficientStorage,
    InternalError,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    error: &'static str,
    message: &'static str,
    status_code: u16,
    description: &'a str,
}

impl Problem {
    /// The method is not the one that runs statements.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(Kind::MethodNotAllowed, "send statements with POST")
    }

    /// The body has more than [`BODY_BYTES_MAX`] bytes.
    pub(crate) fn body_too_large() -> Self {
        Self::new(
            Kind::TooLarge,
            format!("a body has at most {BODY_BYTES_MAX} bytes"),
        )
    }

    /// The statement took too long, was stopped and has changed nothing.
    pub(crate) fn timeout(limit: Duration) -> Self {
        Self::new(
            Kind::Timeout,
            format!(
                "the statement was stopped after {} seconds and has changed nothing",
                limit.as_secs()
            ),
        )
    }

    /// Something of ours is broken; the log has the details.
    pub(crate) fn internal() -> Self {
        Self::new(Kind::InternalError, "the service failed; its log says how")
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.kind.status()
    }

    /// How long a client should wait before it tries again, where that may help; in seconds.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        matches!(self.kind, Kind::Overloaded | Kind::OwnerChanged).then_some(1)
    }

    /// Whether the answer must name the methods that are allowed (RFC 9110, section 15.5.6).
    pub(crate) fn names_methods(&self) -> bool {
        self.kind == Kind::MethodNotAllowed
    }

    /// The body of the answer.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let document = Document {
            error: self.kind.name(),
            message: self.kind.message(),
            status_code: self.kind.status(),
            description: &self.description,
        };
        serde_json::to_vec(&document).expect("texts and numbers are always written")
    }

    fn new(kind: Kind, description: impl Into<String>) -> Self {
        Self {
            kind,
            description: description.into(),
        }
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        let kind = match error {
            NameError::NotADatabase => Kind::NotFound,
            NameError::Unfit => Kind::BadRequest,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let kind = match error {
            QueryError::Missing => Kind::RequestBodyMissing,
            QueryError::NotText | QueryError::NotJson(_) => Kind::DeserializationError,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let kind = match failure {
            Failure::Refused { .. }
            | Failure::Sql { .. }
            | Failure::TooManyRows { .. }
            | Failure::TooManyBytes { .. } => Kind::BadRequest,
            Failure::Stopped => Kind::Timeout,
            Failure::Busy => Kind::Overloaded,
            Failure::Superseded(_) => Kind::OwnerChanged,
            Failure::Full => Kind::InsufficientStorage,
            Failure::Storage(_) | Failure::Fence(_) => Kind::InternalError,
        };
        if let Some(cause) = failure.source() {
            log::error!("{failure}: {cause}");
        }
        Self::new(kind, failure.to_string())
    }
}

impl Kind {
    const fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::RequestBodyMissing | Self::DeserializationError => 400,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::Timeout => 504,
            Self::Overloaded | Self::OwnerChanged => 503,
            Self::InsufficientStorage => 507,
            Self::InternalError => 500,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::RequestBodyMissing => "RequestBodyMissing",
            Self::DeserializationError => "DeserializationError",
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::TooLarge => "TooLarge",
            Self::Timeout => "Timeout",
            Self::Overloaded => "Overloaded",
            Self::OwnerChanged => "OwnerChanged",
            Self::InsufficientStorage => "InsufficientStorage",
            Self::InternalError => "InternalError",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::BadRequest => {
                "We were unable to discern your request.  Please check your URL, query, and \
                 request body."
            }
            Self::RequestBodyMissing => "A request body is required for this operation.",
            Self::DeserializationError => {
                "Your request body was invalid and could not be deserialized."
            }
            Self::NotFound => "The requested resource was not found.",
            Self::MethodNotAllowed => "The requested resource does not support this method.",
            Self::TooLarge => {
                "The size of your request exceeds the maximum allowed by this server."
            }
            Self::Timeout => "The request was not completed within the specified timeout interval.",
            Self::Overloaded => "The service is busy.  Please try again.",
            Self::OwnerChanged => "The resource has a new owner.  Please try again.",
            Self::InsufficientStorage => "There is no room left to store your data.",
            Self::InternalError => "An internal error has been encountered.",
        }
    }
}

#[cfg(test)]
mod tests {
    use constellation_client::{Epoch, fence};
    use serde_json::{Value, json};

    use super::*;

    fn document(problem: &Problem) -> Value {
        serde_json::from_slice(&problem.to_json()).unwrap()
    }

    #[test]
    fn an_error_in_the_sql_is_the_clients_and_says_what_it_is() {
        let problem = Problem::from(Failure::Sql {
            message: "no such table: x".to_owned(),
        });
        assert_eq!(
            document(&problem),
            json!({
                "Error": "BadRequest",
                "Message": "We were unable to discern your request.  Please check your URL, \
                            query, and request body.",
                "StatusCode": 400,
                "Description": "no such table: x",
            })
        );
    }

    #[test]
    fn a_broken_disk_is_ours_and_its_details_stay_here() {
        let cause = rusqlite::Error::InvalidPath("/secret/place".into());
        let problem = Problem::from(Failure::Storage(cause));
        assert_eq!(problem.status(), 500);
        assert!(
            !document(&problem).to_string().contains("secret"),
            "{problem:?}"
        );
    }

    #[test]
    fn a_busy_database_asks_to_try_again_and_a_wrong_method_names_the_right_one() {
        let busy = Problem::from(Failure::Busy);
        assert_eq!((busy.status(), busy.retry_after()), (503, Some(1)));
        let method = Problem::method_not_allowed();
        assert_eq!((method.status(), method.names_methods()), (405, true));
        assert!(!busy.names_methods());
    }

    #[test]
    fn a_lost_database_asks_to_try_again_and_keeps_its_path_to_itself() {
        let (held, brought) = (Epoch::new(2), Epoch::new(1));
        let refused = fence::admit("/secret/place", Some(held), brought).unwrap_err();
        let problem = Problem::from(Failure::Superseded(refused));
        assert_eq!((problem.status(), problem.retry_after()), (503, Some(1)));
        assert_eq!(document(&problem)["Error"], "OwnerChanged");
        assert!(!document(&problem).to_string().contains("secret"));
    }

    #[test]
    fn unknown_paths_and_unfit_names_are_told_apart() {
        assert_eq!(Problem::from(NameError::NotADatabase).status(), 404);
        assert_eq!(Problem::from(NameError::Unfit).status(), 400);
    }
}
