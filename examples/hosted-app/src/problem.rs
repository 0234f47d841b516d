//! What clients are told when something does not work: JSON, with a status and a word for programs.
//! Why is for the log.

use actix_web::{
    HttpResponse, ResponseError,
    error::{BlockingError, JsonPayloadError},
    http::{StatusCode, header::RETRY_AFTER},
};
use constellation_client::fence;
use serde_json::json;

/// Why a request is not answered as its client hoped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("there is no such page")]
    NoSuchPage,
    #[error("there is no such note")]
    NoSuchNote,
    #[error("a notebook's name is 1 to 64 of a-z, 0-9, _ and -")]
    Name,
    #[error("a note needs a title of 1 to 200 characters")]
    Title,
    #[error("the body is no note: {0}")]
    Body(#[from] JsonPayloadError),
    #[error("the notebook belongs to another worker now; ask again")]
    OwnerChanged,
    #[error("the notebook cannot be read or written")]
    Storage(#[source] fence::sqlite::Error),
    #[error("the server is ending")]
    Ending(#[from] BlockingError),
}

impl Problem {
    fn word(&self) -> &'static str {
        match self {
            Self::NoSuchPage => "no_such_page",
            Self::NoSuchNote => "no_such_note",
            Self::Name => "name",
            Self::Title => "title",
            Self::Body(_) => "body",
            Self::OwnerChanged => "owner_changed",
            Self::Storage(_) => "storage",
            Self::Ending(_) => "ending",
        }
    }
}

impl From<fence::sqlite::Error> for Problem {
    fn from(error: fence::sqlite::Error) -> Self {
        match error {
            fence::sqlite::Error::Refused(_) => Self::OwnerChanged,
            error => Self::Storage(error),
        }
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        fence::sqlite::Error::from(error).into()
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NoSuchPage | Self::NoSuchNote => StatusCode::NOT_FOUND,
            Self::Name | Self::Title => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Body(error) => error.status_code(),
            Self::OwnerChanged | Self::Ending(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Storage(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::Storage(error) = self {
            log::error!(error:?; "a notebook failed");
        }
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, "1"));
        }
        response.json(json!({ "error": self.word(), "message": self.to_string() }))
    }
}
