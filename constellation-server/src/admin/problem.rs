//! Errors of the admin API: the original's JSON body, and a status.

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{ALLOW, RETRY_AFTER},
    },
};
use constellation_actors::{
    OrderError,
    placement::{command::CommandError, worker::WorkerId},
};
use serde::{Deserialize, Serialize};

/// Why a request is not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It brings no admin key, or a wrong one.
    Unauthorized(String),
    /// It cannot be read.
    BadRequest(String),
    /// Its path names nothing.
    NoResource(String),
    /// The worker is not known.
    NoWorker(WorkerId),
    /// Its method is none of the resource's.
    Method {
        /// Those that are.
        allowed: &'static [&'static str],
    },
    /// Its body is too long.
    TooLarge {
        /// How long it may be.
        bytes_max: usize,
    },
    /// The order cannot be carried out.
    Refused(CommandError),
    /// The controller has stopped.
    Stopped,
}

/// The body, in the original's form.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Body {
    error: String,
    message: String,
    status_code: u16,
    /// What is wrong in this case.
    pub(crate) description: String,
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Refused(refusal) => Self::Refused(refusal),
            OrderError::Stopped => Self::Stopped,
        }
    }
}

impl Problem {
    /// A member of the body that cannot be read.
    pub(super) fn in_body(member: &'static str) -> impl Fn(String) -> Self {
        move |wrong| Self::BadRequest(format!("The body's member {member} {wrong}."))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NoResource(_) | Self::NoWorker(_) => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Refused(CommandError::NoOwner { .. } | CommandError::UnknownWorker { .. }) => {
                StatusCode::NOT_FOUND
            }
            Self::Refused(
                CommandError::Changing { .. }
                | CommandError::OwnsAlready { .. }
                | CommandError::NotEligible { .. }
                | CommandError::NobodyElse { .. }
                | CommandError::TooManyCordoned { .. },
            ) => StatusCode::CONFLICT,
            Self::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Unauthorized(description) | Self::BadRequest(description) => description.clone(),
            Self::NoResource(path) => format!("There is no {path} here."),
            Self::NoWorker(worker) => format!("No worker {worker} is known."),
            Self::Method { allowed } => {
                format!("The method is not one of {}.", allowed.join(", "))
            }
            Self::TooLarge { bytes_max } => {
                format!("A body may have at most {bytes_max} bytes here.")
            }
            Self::Refused(refusal) => sentence(&refusal.to_string()),
            Self::Stopped => "The controller is shutting down.".into(),
        }
    }

    /// The answer.
    pub(super) fn response(&self) -> HttpResponse {
        let status = self.status();
        let (error, message) = name(status);
        let mut response = HttpResponseBuilder::new(status);
        match self {
            Self::Method { allowed } => {
                response.insert_header((ALLOW, allowed.join(", ")));
            }
            Self::Stopped => {
                response.insert_header((RETRY_AFTER, 1));
            }
            // What is left of such a body is not read.
            Self::TooLarge { .. } => {
                response.force_close();
            }
            Self::Unauthorized(_)
            | Self::BadRequest(_)
            | Self::NoResource(_)
            | Self::NoWorker(_)
            | Self::Refused(_) => {}
        }
        response.json(Body {
            error: error.into(),
            message: message.into(),
            status_code: status.as_u16(),
            description: self.description(),
        })
    }
}

/// The members `Error` and `Message` of a status, in the original's words where it has some.
fn name(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        401 => (
            "AuthorizationFailed",
            "You are not authorized to perform this request.",
        ),
        404 => ("NotFound", "The requested object was not found."),
        405 => (
            "MethodNotAllowed",
            "This resource does not take the request's method.",
        ),
        409 => (
            "Conflict",
            "The request does not fit the state of what it is about.",
        ),
        413 => (
            "TooLarge",
            "The size of your request exceeds the maximum allowed by this server.",
        ),
        503 => (
            "Overloaded",
            "The server is handling as much as it may at the moment.",
        ),
        _ => (
            "BadRequest",
            "We were unable to discern your request.  Please check your URL, query, and request \
             body.",
        ),
    }
}

/// A message as a sentence. What begins with an id or a key keeps its letters.
fn sentence(text: &str) -> String {
    let mut sentence = format!("{text}.");
    let first = text.split(' ').next().unwrap_or_default();
    if first.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        let end = first.len().min(1);
        sentence[..end].make_ascii_uppercase();
    }
    sentence
}
