//! An echo over a websocket, written with actix-ws and once more with actix-web-actors, as their
//! documentation does it.

use std::thread::current;

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Running, StreamHandler, WrapFuture,
};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{self, WebsocketContext};
use actix_ws::{AggregatedMessage, CloseCode, CloseReason, Session};
use bytes::{Bytes, BytesMut};
use constellation_client::Grant;
use futures::{
    StreamExt,
    future::{Either, select},
};

use crate::support::gate::Gate;

/// The longest message and frame.
const BYTES_MAX: usize = 2 << 20;

const PROTOCOLS: [&str; 1] = ["echo"];

/// What the sockets of an App share.
pub(super) struct Sockets(Gate);

impl Sockets {
    pub(super) fn new(gate: &Gate) -> Self {
        Self(gate.clone())
    }
}

pub(super) fn configure(application: &mut web::ServiceConfig) {
    let is_upgrade = || actix_web::guard::Header("upgrade", "websocket");
    for (path, socket) in [
        ("/stream", web::get().to(stream)),
        ("/actor", web::get().to(actor)),
    ] {
        let plain = web::get().to(async |grant: Grant| who(&grant));
        let resource = web::resource(path)
            .route(socket.guard(is_upgrade()))
            .route(plain);
        application.service(resource);
    }
}

/// Where this runs, and what for.
fn who(grant: &Grant) -> String {
    format!(
        "{:?}, key {}, epoch {}",
        current().id(),
        grant.key(),
        grant.epoch()
    )
}

fn closing(text: &str, code: CloseCode) -> CloseReason {
    CloseReason {
        code,
        description: Some(text.into()),
    }
}

/// With actix-ws.
async fn stream(
    request: HttpRequest,
    body: web::Payload,
    grant: Grant,
    sockets: web::Data<Sockets>,
) -> actix_web::Result<HttpResponse> {
    let (response, mut session, messages) =
        actix_ws::handle_with_protocols(&request, body, &PROTOCOLS)?;
    let mut messages = messages
        .max_frame_size(BYTES_MAX)
        .aggregate_continuations()
        .max_continuation_size(BYTES_MAX);
    actix_rt::spawn(async move {
        sockets.0.note("opened");
        let mut leaving = Box::pin(grant.leaving());
        let reason = loop {
            match select(messages.next(), leaving.as_mut()).await {
                Either::Left((Some(Ok(message)), _)) => {
                    match echo(&mut session, message, &grant).await {
                        Ok(None) => {}
                        Ok(Some(reason)) => break Some(reason),
                        Err(actix_ws::Closed) => break None,
                    }
                }
                Either::Left((Some(Err(_)) | None, _)) => break None,
                Either::Right(((), _)) => {
                    let _gone = session.text("moving").await;
                    break Some(closing("moving", CloseCode::Restart));
                }
            }
        };
        let _gone = session.close(reason).await;
        sockets.0.note("ended");
    });
    Ok(response)
}

/// Sends a message back; why to close, if it is the last.
async fn echo(
    session: &mut Session,
    message: AggregatedMessage,
    grant: &Grant,
) -> Result<Option<CloseReason>, actix_ws::Closed> {
    match message {
        AggregatedMessage::Text(text) if text == "close" => {
            return Ok(Some(closing("as asked", CloseCode::Other(4002))));
        }
        AggregatedMessage::Text(text) if text == "who?" => session.text(who(grant)).await?,
        AggregatedMessage::Text(text) => session.text(text).await?,
        AggregatedMessage::Binary(bytes) => session.binary(bytes).await?,
        AggregatedMessage::Ping(bytes) => session.pong(&bytes).await?,
        AggregatedMessage::Pong(_) => {}
        AggregatedMessage::Close(reason) => {
            return Ok(Some(reason.unwrap_or(CloseReason::from(CloseCode::Normal))));
        }
    }
    Ok(None)
}

/// With actix-web-actors.
async fn actor(
    request: HttpRequest,
    body: web::Payload,
    grant: Grant,
    sockets: web::Data<Sockets>,
) -> actix_web::Result<HttpResponse> {
    let echo = Echo {
        grant,
        gate: sockets.0.clone(),
        parts: BytesMut::new(),
        text: false,
    };
    ws::WsResponseBuilder::new(echo, &request, body)
        .protocols(&PROTOCOLS)
        .frame_size(BYTES_MAX)
        .start()
}

/// One socket.
struct Echo {
    grant: Grant,
    gate: Gate,
    /// What came of a message in parts.
    parts: BytesMut,
    text: bool,
}

impl Actor for Echo {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.gate.note("opened");
        let leaving = self.grant.leaving().into_actor(self);
        context.spawn(leaving.map(|(), _, context| {
            context.text("moving");
            context.close(Some(closing("moving", CloseCode::Restart)));
            context.stop();
        }));
    }

    fn stopping(&mut self, _: &mut Self::Context) -> Running {
        Running::Stop
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.gate.note("ended");
    }
}

impl Echo {
    fn part(&mut self, item: actix_http::ws::Item, context: &mut WebsocketContext<Self>) {
        use actix_http::ws::Item;

        let (part, last) = match item {
            Item::FirstText(part) => {
                self.text = true;
                (part, false)
            }
            Item::FirstBinary(part) => {
                self.text = false;
                (part, false)
            }
            Item::Continue(part) => (part, false),
            Item::Last(part) => (part, true),
        };
        self.parts.extend_from_slice(&part);
        if last {
            let whole: Bytes = self.parts.split().freeze();
            if self.text {
                context.text(String::from_utf8_lossy(&whole).into_owned());
            } else {
                context.binary(whole);
            }
        }
    }
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for Echo {
    fn handle(
        &mut self,
        message: Result<ws::Message, ws::ProtocolError>,
        context: &mut Self::Context,
    ) {
        match message {
            Ok(ws::Message::Text(text)) if text == "close" => {
                context.close(Some(closing("as asked", CloseCode::Other(4002))));
                context.stop();
            }
            Ok(ws::Message::Text(text)) if text == "who?" => context.text(who(&self.grant)),
            Ok(ws::Message::Text(text)) => context.text(text),
            Ok(ws::Message::Binary(bytes)) => context.binary(bytes),
            Ok(ws::Message::Continuation(item)) => self.part(item, context),
            Ok(ws::Message::Ping(bytes)) => context.pong(&bytes),
            Ok(ws::Message::Pong(_) | ws::Message::Nop) => {}
            Ok(ws::Message::Close(reason)) => {
                context.close(reason);
                context.stop();
            }
            Err(_) => context.stop(),
        }
    }
}
