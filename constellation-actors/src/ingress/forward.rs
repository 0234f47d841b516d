//! One request on its way to the owner of its key: delivered, and tried again only where that
//! cannot repeat anything.

use std::{future::poll_fn, sync::Arc, task::Poll};

use actix_web::{HttpRequest, HttpResponse, http::Method};
use bytes::{Bytes, BytesMut};

use super::{
    Failure, Ingress, RequestId, answer,
    client::ClientBody,
    headers::{self, Forwarding},
    pace::{Direction, Pace},
    problem::Problem,
    tunnel,
    upload::{Upload, UploadError},
};
use crate::{
    clock,
    counters::Limit,
    placement::{effect::Rejection, epoch::Epoch, key::ResourceKey},
    protocol::{
        frame::code::ResetCode,
        head::{HEAD_BYTES_MAX, RequestLine, encode::HeadEncoder},
        json,
        mux::{
            error::OpenError,
            event::{Ended, ResponseFrame},
        },
    },
    registry::{handle::Unrouted, route::Route},
    session::wire::{
        Wire,
        binary::{BinaryWire, Exchange},
        json::{JsonWire, SendError},
    },
};

/// How often a request is offered to an owner. Each further offer follows a change of owner, or a
/// wait for one.
const OFFERS_MAX: u32 = 5;

/// What became of one offer.
enum Offer {
    /// An answer.
    Answered(HttpResponse),
    /// For sure not delivered; refused under this epoch, if a worker said so.
    Undelivered { refused: Option<Epoch> },
    /// What became of it is not known, because of this.
    Lost(Ended),
}

/// A request as it is offered to owners.
#[derive(Clone, Copy)]
pub(super) struct Offered<'a> {
    pub(super) request: &'a HttpRequest,
    pub(super) id: &'a RequestId,
    /// Whether it asks for a websocket.
    pub(super) upgrade: bool,
}

impl Ingress {
    pub(super) async fn forward(
        &self,
        offered: Offered<'_>,
        body: ClientBody,
        key: &ResourceKey,
    ) -> Result<HttpResponse, Failure> {
        let request = offered.request;
        let pace = Pace::new(self.rules.pace, Direction::Up, &self.counters);
        let upload = Upload::begin(request, body, self.rules.body_bytes_max, pace).await;
        let mut upload = upload.map_err(|error| upload_problem(&error, false))?;
        let mut known = self.routes.known(key);
        let mut refused = None;
        let mut tried: Option<Arc<Route>> = None;
        for _ in 0..OFFERS_MAX {
            let route = match known.take() {
                Some(route) => route,
                // Apart, because few requests need the room for it.
                None => Box::pin(self.resolve(key, refused.take())).await?,
            };
            let fail = |problem| Failure {
                problem,
                worker: Some(route.link.header().clone()),
            };
            match self
                .offer(offered, &mut upload, &route)
                .await
                .map_err(fail)?
            {
                Offer::Answered(response) => return Ok(response),
                Offer::Undelivered { refused: epoch } if upload.is_whole() => refused = epoch,
                Offer::Lost(_) if upload.is_whole() && is_safe(request.method()) => {}
                Offer::Undelivered { .. } => {
                    return Err(fail(Problem::Undelivered {
                        key: key.to_string(),
                    }));
                }
                Offer::Lost(why) => {
                    log::info!(key:% = key, worker:% = route.link.worker(), epoch:% = route.epoch,
                        why:% = why; "what became of a request is not known");
                    return Err(fail(Problem::DeliveryUnknown {
                        key: key.to_string(),
                    }));
                }
            }
            self.counters.offered_again.add();
            tried = Some(route);
        }
        Err(Failure {
            problem: Problem::Undelivered {
                key: key.to_string(),
            },
            worker: tried.map(|route| route.link.header().clone()),
        })
    }

    async fn resolve(
        &self,
        key: &ResourceKey,
        refused: Option<Epoch>,
    ) -> Result<Arc<Route>, Problem> {
        self.routes
            .resolve(key.clone(), refused)
            .await
            .map_err(|unrouted| {
                let full = |limit: Limit, description: &str| Problem::Overloaded {
                    limit,
                    description: description.to_owned(),
                };
                match unrouted {
                    Unrouted::Stopped => Problem::ShuttingDown,
                    Unrouted::RegistryBusy => {
                        full(Limit::RegistryMailbox, "messages to the Registry")
                    }
                    Unrouted::Rejected(rejection) => match rejection {
                        Rejection::NoWorker => Problem::NoWorker {
                            key: key.to_string(),
                        },
                        Rejection::WaitingPerKeyFull => full(
                            Limit::WaitingPerKey,
                            "requests that wait for one key (Placement.WaitingPerKeyMax)",
                        ),
                        Rejection::WaitingFull => full(
                            Limit::Waiting,
                            "requests that wait for any key (Placement.WaitingMax)",
                        ),
                        Rejection::KeysFull => full(Limit::Keys, "pinned keys (Placement.KeysMax)"),
                        Rejection::StoreFailed => Problem::StoreUnavailable {
                            key: key.to_string(),
                        },
                    },
                }
            })
    }

    /// Offers a request to the owner of its key, once.
    async fn offer(
        &self,
        offered: Offered<'_>,
        upload: &mut Upload,
        route: &Arc<Route>,
    ) -> Result<Offer, Problem> {
        let Some(wire) = route.link.wire() else {
            return Ok(Offer::Undelivered { refused: None });
        };
        let offer = match &*wire {
            Wire::Binary(wire) => self.offer_binary(offered, upload, route, wire).await?,
            // Apart, because it needs more room.
            Wire::Json(wire) => Box::pin(self.offer_json(offered, upload, route, wire)).await?,
        };
        // Nothing was sent under a pin that is open: its connection is over, and if there is no newer
        // one, the Registry is about to hear of that.
        let unsent = matches!(offer, Offer::Undelivered { refused: None });
        if unsent && route.is_open() && !route.link.has_left(&wire) {
            let refused = Some(route.epoch);
            return Ok(Offer::Undelivered { refused });
        }
        Ok(offer)
    }

    async fn offer_binary(
        &self,
        offered: Offered<'_>,
        upload: &mut Upload,
        route: &Arc<Route>,
        wire: &Arc<BinaryWire>,
    ) -> Result<Offer, Problem> {
        let request = offered.request;
        let (inline, end) = upload.inline();
        let opened = if offered.upgrade {
            wire.open_tunnel(route, |buffer| self.write_head(buffer, offered))
        } else {
            wire.open(route, end, |buffer| {
                self.write_head(buffer, offered);
                buffer.extend_from_slice(inline);
            })
        };
        let exchange = match opened {
            Ok(exchange) => exchange,
            Err(error) => return unopened(&error),
        };
        match await_response(&exchange, upload).await? {
            Ok(response) if offered.upgrade => {
                let payload = || upload.take_payload();
                let pace = Pace::new(self.rules.pace, Direction::Down, &self.counters);
                let tunnels = &self.tunnels;
                let answered =
                    tunnel::answer(tunnels, request, route, exchange, response, payload, pace)?;
                Ok(answered.map_or(Offer::Lost(Ended::Withdrawn), Offer::Answered))
            }
            Ok(response) => {
                let taken = upload.take();
                let pace = Pace::new(self.rules.pace, Direction::Down, &self.counters);
                let response = answer::of_frame(request, route, exchange, response, taken, pace)?;
                Ok(Offer::Answered(response))
            }
            Err(Ended::Reset {
                code: ResetCode::Refused,
                ..
            }) => Ok(Offer::Undelivered {
                refused: Some(route.epoch),
            }),
            // Begun perhaps, and given up with its key.
            Err(Ended::Reset {
                code: ResetCode::Moved,
                ..
            }) => Ok(Offer::Lost(Ended::Withdrawn)),
            Err(Ended::Reset { code, reason }) => Err(reset_problem(code, &reason)),
            Err(why @ (Ended::SessionLost | Ended::Withdrawn | Ended::Over)) => {
                // The epoch is over: the answer of a former owner never reaches a client.
                if why == Ended::Withdrawn {
                    self.counters.stale_answers.add();
                }
                Ok(Offer::Lost(why))
            }
        }
    }

    /// Writes the request's head as the worker gets it, straight into the outgoing buffer.
    fn write_head(&self, buffer: &mut BytesMut, offered: Offered<'_>) {
        let Offered { request, id, .. } = offered;
        let Forwarding {
            client,
            scheme,
            host,
        } = Forwarding::of(request);
        let path = path_and_query(request);
        let method = request.method().as_str();
        let line = RequestLine {
            method,
            scheme,
            authority: host,
            path,
        };
        let mut head = HeadEncoder::request(buffer, line);
        let is_admin_key = |name: &_, value: &_| self.admin.is_key(name, value);
        headers::request_fields(request.headers(), is_admin_key, |name, value| {
            head.field(name, value);
        });
        head.field("x-forwarded-for", client);
        head.field("x-forwarded-proto", scheme);
        head.field("x-forwarded-host", host);
        head.field("x-request", id.as_bytes());
        head.finish(HEAD_BYTES_MAX)
            .expect("a head that is too large was refused before");
    }

    async fn offer_json(
        &self,
        offered: Offered<'_>,
        upload: &mut Upload,
        route: &Arc<Route>,
        wire: &Arc<JsonWire>,
    ) -> Result<Offer, Problem> {
        let Offered { request, id, .. } = offered;
        if offered.upgrade {
            let key = route.key.to_string();
            return Err(Problem::NoTunnels { key });
        }
        let body = upload.read_to_end(wire.body_bytes_max()).await;
        let body = body.map_err(|error| upload_problem(&error, false))?;
        let message = self.json_message(request, route, id, &body);
        // What was read is kept, so that an undelivered request can be offered again.
        upload.keep(body);
        let sent = wire
            .send(route, id.uuid(), message)
            .map_err(|error| match error {
                SendError::ExchangesFull { .. } => overloaded(Limit::Exchanges, &error),
                SendError::QueueFull { .. } => overloaded(Limit::SessionQueue, &error),
            })?;
        let Some(sent) = sent else {
            return Ok(Offer::Undelivered { refused: None });
        };
        let bytes_max = wire.body_bytes_max();
        match sent.answered().await {
            Some(response) if response.body.len() as u64 > bytes_max => Err(Problem::BadAnswer {
                description: format!("The worker's answer has more than {bytes_max} bytes."),
            }),
            Some(response) => answer::of_json(request, route, response).map(Offer::Answered),
            None => Ok(Offer::Lost(Ended::SessionLost)),
        }
    }

    /// A request as a worker of the JSON dialect gets it.
    fn json_message(
        &self,
        request: &HttpRequest,
        route: &Route,
        id: &RequestId,
        body: &[u8],
    ) -> Bytes {
        let Forwarding {
            client,
            scheme,
            host,
        } = Forwarding::of(request);
        let epoch = route.epoch.to_string();
        let mut fields: Vec<(&str, &[u8])> = Vec::new();
        let is_admin_key = |name: &_, value: &_| self.admin.is_key(name, value);
        headers::request_fields(request.headers(), is_admin_key, |name, value| {
            fields.push((name, value));
        });
        fields.extend([
            ("host", host.as_bytes()),
            ("x-forwarded-for", &*client),
            ("x-forwarded-proto", scheme.as_bytes()),
            ("x-forwarded-host", host.as_bytes()),
            ("x-request", id.as_bytes()),
            ("x-constellation-key", route.key.as_bytes()),
            ("x-constellation-epoch", epoch.as_bytes()),
        ]);
        let message = json::Request {
            guid: id.uuid(),
            unix_micros: clock::unix_micros(),
            method: request.method().as_str(),
            scheme,
            host,
            path_and_query: path_and_query(request),
            headers: &fields,
            body,
        };
        message.to_message()
    }
}

/// The raw path and query.
fn path_and_query(request: &HttpRequest) -> &str {
    request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
}

/// Waits for the response while the body goes up.
async fn await_response(
    exchange: &Exchange,
    upload: &mut Upload,
) -> Result<Result<ResponseFrame, Ended>, Problem> {
    poll_fn(|context| {
        if let Poll::Ready(response) = exchange.poll_response(context) {
            return Poll::Ready(Ok(response));
        }
        match upload.poll(context, exchange) {
            Poll::Ready(Err(error)) => {
                let code = match error {
                    UploadError::TooLarge { .. } => ResetCode::TooLarge,
                    UploadError::Client(_) | UploadError::TooSlow(_) => ResetCode::Cancelled,
                };
                exchange.reset(code, &error.to_string());
                Poll::Ready(Err(upload_problem(&error, true)))
            }
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// What becomes of an offer that was not sent.
fn unopened(error: &OpenError) -> Result<Offer, Problem> {
    Err(match error {
        OpenError::Closed => return Ok(Offer::Undelivered { refused: None }),
        OpenError::TooLong { .. } => Problem::BadRequest {
            description: error.to_string(),
        },
        OpenError::ExchangesFull { .. } => overloaded(Limit::Exchanges, error),
        OpenError::TunnelsFull { .. } => overloaded(Limit::Tunnels, error),
        OpenError::QueueFull { .. } => overloaded(Limit::SessionQueue, error),
    })
}

fn overloaded(limit: Limit, error: &dyn std::error::Error) -> Problem {
    Problem::Overloaded {
        limit,
        description: error.to_string(),
    }
}

/// `begun` is whether a worker may have begun on the request.
fn upload_problem(error: &UploadError, begun: bool) -> Problem {
    match error {
        UploadError::TooLarge { bytes_max } => Problem::TooLarge {
            bytes_max: *bytes_max,
            begun,
        },
        UploadError::Client(_) => Problem::BadRequest {
            description: error.to_string(),
        },
        UploadError::TooSlow(slow) => Problem::ClientTooSlow { slow: *slow, begun },
    }
}

fn reset_problem(code: ResetCode, reason: &str) -> Problem {
    match code {
        ResetCode::Overloaded => Problem::Overloaded {
            limit: Limit::Worker,
            description: format!("a limit of the worker: {reason}"),
        },
        ResetCode::TooLarge => Problem::BadAnswer {
            description: format!("The worker took no more: {reason}."),
        },
        ResetCode::Cancelled
        | ResetCode::Refused
        | ResetCode::Timeout
        | ResetCode::Internal
        | ResetCode::Protocol
        | ResetCode::Moved => Problem::BadAnswer {
            description: format!("The worker gave up ({code}): {reason}"),
        },
    }
}

/// Whether a method asks for nothing but to be read (RFC 9110, section 9.2.1), so that a repetition
/// does no harm.
fn is_safe(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD || *method == Method::OPTIONS
}
