//! What handlers of a hosted App ask for beside the request.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, ResponseError, dev::Payload, http::StatusCode,
};

use crate::grant::Grant;

/// A handler asked for the [`Grant`] of a request that came under none: over a port of its own, not
/// from a controller. Answered with 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request came under no grant")]
pub struct NoGrant;

impl ResponseError for NoGrant {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

/// The grant under which a hosted [`App`](actix_web::App) got the request. An `App` that also
/// listens on a port asks for `Option<Grant>`, which is `None` there.
impl FromRequest for Grant {
    type Error = NoGrant;
    type Future = Ready<Result<Self, NoGrant>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(NoGrant))
    }
}
