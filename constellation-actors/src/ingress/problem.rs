//! Errors as clients see them: the original's JSON body, a status, and what helps to act on it.

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use serde::Serialize;

use super::pace::Slow;
use crate::counters::{Counters, Limit};

/// Says that a request may have reached its worker.
const DELIVERY: HeaderName = HeaderName::from_static("x-constellation-delivery");

/// After how many seconds a client may try again, when nothing better is known.
const RETRY_AFTER_SECONDS: u32 = 1;

/// Why a request is not answered by a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A path or header that cannot be forwarded.
    BadRequest { description: String },
    /// An upgrade to a version of websocket that is not forwarded.
    UpgradeRequired,
    /// An upgrade for a key whose worker cannot carry tunnels.
    NoTunnels { key: String },
    /// An admin key that is not one.
    AuthorizationFailed,
    /// A body over the limit. `begun`: a worker may have begun on it.
    TooLarge { bytes_max: u64, begun: bool },
    /// The client sends its body too slowly. `begun`: a worker may have begun on it.
    ClientTooSlow { slow: Slow, begun: bool },
    /// No worker can own the key.
    NoWorker { key: String },
    /// It could not be delivered to a worker, for sure.
    Undelivered { key: String },
    /// The worker went away after the request may have reached it.
    DeliveryUnknown { key: String },
    /// The worker's answer cannot be passed on.
    BadAnswer { description: String },
    /// A queue or limit is full.
    Overloaded { limit: Limit, description: String },
    /// The store does not take new pins.
    StoreUnavailable { key: String },
    /// No answer in time.
    Timeout { milliseconds: u128 },
    /// The controller is shutting down.
    ShuttingDown,
}

/// The body, in the original's form.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "Error")]
    error: &'a str,
    #[serde(rename = "Message")]
    message: &'a str,
    #[serde(rename = "StatusCode")]
    status_code: u16,
    #[serde(rename = "Description")]
    description: &'a str,
}

const UNSERVICEABLE: &str =
    "Your request is unable to be serviced as there are no origin servers available.";
const OVERLOADED: &str = "The server is handling as much as it may at the moment.";

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            // Not 408, which some clients take for leave to repeat the request.
            Self::BadRequest { .. } | Self::ClientTooSlow { .. } => StatusCode::BAD_REQUEST,
            Self::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
            Self::AuthorizationFailed => StatusCode::UNAUTHORIZED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoWorker { .. }
            | Self::Undelivered { .. }
            | Self::DeliveryUnknown { .. }
            | Self::NoTunnels { .. }
            | Self::BadAnswer { .. } => StatusCode::BAD_GATEWAY,
            Self::Overloaded { .. } | Self::StoreUnavailable { .. } | Self::ShuttingDown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn error(&self) -> &'static str {
        match self {
            Self::BadRequest { .. } | Self::UpgradeRequired | Self::ClientTooSlow { .. } => {
                "BadRequest"
            }
            Self::AuthorizationFailed => "AuthorizationFailed",
            Self::TooLarge { .. } => "TooLarge",
            Self::NoWorker { .. }
            | Self::Undelivered { .. }
            | Self::DeliveryUnknown { .. }
            | Self::NoTunnels { .. }
            | Self::BadAnswer { .. } => "BadGateway",
            Self::Overloaded { .. } | Self::StoreUnavailable { .. } | Self::ShuttingDown => {
                "Overloaded"
            }
            Self::Timeout { .. } => "Timeout",
        }
    }

    fn message(&self) -> &'static str {
        match self {
            Self::BadRequest { .. } | Self::UpgradeRequired | Self::ClientTooSlow { .. } => {
                "We were unable to discern your request.  Please check your URL, query, and \
                 request body."
            }
            Self::AuthorizationFailed => {
                "Your authentication material was accepted, but you are not authorized to perform \
                 this request."
            }
            Self::TooLarge { .. } => {
                "The size of your request exceeds the maximum allowed by this server."
            }
            Self::NoWorker { .. }
            | Self::Undelivered { .. }
            | Self::DeliveryUnknown { .. }
            | Self::NoTunnels { .. }
            | Self::BadAnswer { .. } => UNSERVICEABLE,
            Self::Overloaded { .. } | Self::StoreUnavailable { .. } | Self::ShuttingDown => {
                OVERLOADED
            }
            Self::Timeout { .. } => {
                "The request was not completed within the specified timeout interval."
            }
        }
    }

    fn description(&self) -> String {
        match self {
            Self::BadRequest { description } | Self::BadAnswer { description } => {
                description.clone()
            }
            Self::UpgradeRequired => "Websockets of version 13 are forwarded, and no other.".into(),
            Self::NoTunnels { key } => {
                format!("The worker of resource {key} cannot take websockets.")
            }
            Self::AuthorizationFailed => "The admin key is not one of this controller's.".into(),
            Self::TooLarge { bytes_max, .. } => {
                format!("A request body may have at most {bytes_max} bytes here.")
            }
            Self::ClientTooSlow { slow, .. } => format!("The body of the request {slow}."),
            Self::NoWorker { key } => format!("No workers available for resource {key}."),
            Self::Undelivered { key } => format!("Unable to proxy request for resource {key}."),
            Self::DeliveryUnknown { key } => {
                format!("The worker of resource {key} went away; the request may have reached it.")
            }
            Self::Overloaded { description, .. } => format!("Limit reached: {description}."),
            Self::StoreUnavailable { key } => {
                format!("The store did not take the new pin of resource {key}.")
            }
            Self::Timeout { milliseconds } => {
                format!("No answer within {milliseconds} ms (Proxy.TimeoutMs).")
            }
            Self::ShuttingDown => "The controller is shutting down.".into(),
        }
    }

    /// Counts it.
    pub(crate) fn count(&self, counters: &Counters) {
        let counter = match self {
            Self::BadRequest { .. } | Self::UpgradeRequired => &counters.bad_requests,
            Self::NoTunnels { .. } => &counters.undelivered,
            Self::AuthorizationFailed => &counters.wrong_admin_keys,
            Self::TooLarge { .. } => &counters.bodies_too_large,
            // Counted when the body was found slow, with those whose answer had begun.
            Self::ClientTooSlow { .. } => return,
            Self::NoWorker { .. } => &counters.no_worker,
            Self::Undelivered { .. } => &counters.undelivered,
            Self::DeliveryUnknown { .. } => &counters.delivery_unknown,
            Self::BadAnswer { .. } => &counters.bad_answers,
            Self::Overloaded { limit, .. } => return counters.hit(*limit),
            Self::StoreUnavailable { .. } => &counters.store_failures,
            Self::Timeout { .. } => &counters.timeouts,
            Self::ShuttingDown => &counters.shutting_down,
        };
        counter.add();
    }

    /// The answer to the client.
    pub(crate) fn response(&self) -> HttpResponse {
        let status = self.status();
        let body = Body {
            error: self.error(),
            message: self.message(),
            status_code: status.as_u16(),
            description: &self.description(),
        };
        let mut response = HttpResponseBuilder::new(status);
        match self {
            Self::NoWorker { .. }
            | Self::Overloaded { .. }
            | Self::StoreUnavailable { .. }
            | Self::ShuttingDown => {
                response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS));
            }
            Self::DeliveryUnknown { .. }
            | Self::BadAnswer { .. }
            | Self::Timeout { .. }
            | Self::TooLarge { begun: true, .. }
            | Self::ClientTooSlow { begun: true, .. } => {
                response.insert_header((DELIVERY, HeaderValue::from_static("unknown")));
            }
            Self::UpgradeRequired => {
                let version = HeaderValue::from_static("13");
                response.insert_header((header::SEC_WEBSOCKET_VERSION, version));
            }
            Self::BadRequest { .. }
            | Self::ClientTooSlow { begun: false, .. }
            | Self::NoTunnels { .. }
            | Self::AuthorizationFailed
            | Self::TooLarge { begun: false, .. }
            | Self::Undelivered { .. } => {}
        }
        response.json(body)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;

    use super::*;

    fn body(problem: &Problem) -> String {
        let bytes = problem.response().into_body().try_into_bytes().unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn a_missing_worker_is_told_in_the_originals_words() {
        let problem = Problem::NoWorker { key: "/x".into() };
        assert_eq!(
            body(&problem),
            "{\"Error\":\"BadGateway\",\"Message\":\"Your request is unable to be serviced as \
             there are no origin servers available.\",\"StatusCode\":502,\
             \"Description\":\"No workers available for resource /x.\"}"
        );
        assert!(problem.response().headers().contains_key("retry-after"));
    }

    #[test]
    fn an_unknown_delivery_is_marked() {
        let problem = Problem::DeliveryUnknown { key: "/x".into() };
        assert_eq!(
            problem.response().headers().get(&DELIVERY).unwrap(),
            "unknown"
        );
        assert_eq!(problem.response().status(), StatusCode::BAD_GATEWAY);
    }
}
