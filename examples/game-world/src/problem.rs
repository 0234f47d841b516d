//! What clients are told when something does not work: JSON, with a status and a word for programs.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header::RETRY_AFTER},
};
use constellation_actors::placement::command::CommandError;
use serde_json::json;

use crate::world_name::NameError;

/// Why a request is not answered as its client hoped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("there is no such page; worlds are at /games/<name>")]
    NotFound,
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("the world cannot be played at the moment; try again")]
    Unavailable,
    #[error("the world cannot move: {0}")]
    Order(#[from] CommandError),
}

impl Problem {
    fn word(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Name(_) => "name",
            Self::Unavailable => "unavailable",
            Self::Order(_) => "order",
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::Name(_) | Self::Order(CommandError::NoOwner { .. }) => {
                StatusCode::NOT_FOUND
            }
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Order(_) => StatusCode::CONFLICT,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, "1"));
        }
        response.json(json!({ "error": self.word(), "message": self.to_string() }))
    }
}
