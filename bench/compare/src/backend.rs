//! The far side of the peers: a plain actix-web server that answers as the echo worker does behind
//! Constellation.

use std::{convert::Infallible, net::Ipv4Addr};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_ws::Message;
use bytes::Bytes;
use futures::{StreamExt, stream};

use crate::error::{Error, at};

/// The bytes of a long answer, sent as often as needed.
static CHUNK: [u8; 64 * 1024] = [b'x'; 64 * 1024];

/// Where it listens, and what it answers.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct BackendArguments {
    /// The port
    #[arg(long)]
    port: u16,
    /// The bytes of every answer that is not asked for otherwise (`?bytes=N`)
    #[arg(long)]
    body_bytes: usize,
}

/// Serves until the process is told to end.
///
/// # Errors
///
/// When it cannot listen.
pub(crate) fn serve(arguments: &BackendArguments) -> Result<(), Error> {
    let small = Bytes::from(vec![b'x'; arguments.body_bytes]);
    let port = arguments.port;
    let server = async move {
        HttpServer::new(move || {
            let small = web::Data::new(small.clone());
            App::new()
                .app_data(small)
                .route("/tunnels/{number}", web::get().to(echo))
                .default_service(web::to(answer))
        })
        .workers(1)
        .tcp_nodelay(true)
        .backlog(4096)
        .max_connections(100_000)
        .bind((Ipv4Addr::LOCALHOST, port))?
        .run()
        .await
    };
    actix_rt::System::new()
        .block_on(server)
        .map_err(at("serving"))
}

/// A websocket that sends every message back.
async fn echo(request: HttpRequest, body: web::Payload) -> actix_web::Result<HttpResponse> {
    let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    actix_rt::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            let sent = match message {
                Message::Text(text) => session.text(text).await,
                Message::Binary(bytes) => session.binary(bytes).await,
                Message::Ping(bytes) => session.pong(&bytes).await,
                Message::Close(reason) => {
                    // The client may have gone; then there is nobody to tell.
                    let _gone = session.close(reason).await;
                    return;
                }
                Message::Continuation(_) | Message::Pong(_) | Message::Nop => Ok(()),
            };
            if sent.is_err() {
                return;
            }
        }
    });
    Ok(response)
}

async fn answer(
    request: HttpRequest,
    small: web::Data<Bytes>,
    mut body: web::Payload,
) -> HttpResponse {
    while let Some(Ok(_)) = body.next().await {}
    let mut response = HttpResponse::Ok();
    response.content_type("application/octet-stream");
    match request
        .query_string()
        .strip_prefix("bytes=")
        .map(str::parse)
    {
        Some(Ok(length)) => {
            let chunks = stream::unfold(length, |left: u64| async move {
                let size = left.min(CHUNK.len() as u64);
                let chunk = Bytes::from_static(&CHUNK[..usize::try_from(size).unwrap_or(0)]);
                (size > 0).then(|| (Ok::<_, Infallible>(chunk), left - size))
            });
            response.no_chunking(length).streaming(chunks)
        }
        Some(Err(_)) => HttpResponse::BadRequest().finish(),
        None => response.body(Bytes::clone(&small)),
    }
}
