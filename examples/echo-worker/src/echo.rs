//! The handler: reads what a request asks for, waits, and answers. It never holds a body: what
//! comes is counted or passed on, and what goes down is one piece of memory, over and over.

use std::time::Duration;

use actix_rt::time::sleep;
use bytes::Bytes;
use constellation_client::{BodyError, Grant, HandlerError, Request, Response, websocket};
use futures::{Stream, StreamExt, stream};

use crate::{
    events,
    plan::{Body, Plan},
    report::{Contents, Report},
    socket,
};

/// The bytes of a made body, sent as often as needed.
static CHUNK: [u8; 64 * 1024] = [b'x'; 64 * 1024];

const OCTETS: &str = "application/octet-stream";

/// How every request is answered.
#[derive(Clone, Debug)]
pub(crate) struct Echo {
    /// The worker's id.
    pub(crate) worker: String,
    /// The worker's name.
    pub(crate) name: String,
    /// How long each answer waits.
    pub(crate) latency: Duration,
    /// The body of every answer that is not asked for otherwise; `None` for a report.
    pub(crate) fixed: Option<Bytes>,
    /// Whether no line is logged for each request.
    pub(crate) quiet: bool,
}

/// Logs that a request was cancelled, if it is dropped before the end.
#[derive(Debug)]
pub(crate) struct Unfinished {
    grant: Grant,
    finished: bool,
}

impl Unfinished {
    pub(crate) fn new(request: &Request) -> Self {
        Self {
            grant: request.grant().clone(),
            finished: false,
        }
    }

    pub(crate) fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            log::info!("cancelled {}", self.grant.key());
        }
    }
}

impl Echo {
    /// Answers one request.
    ///
    /// # Errors
    ///
    /// When the request's body breaks off.
    pub(crate) async fn answer(&self, request: Request) -> Result<Response, HandlerError> {
        if !self.quiet {
            let (method, target) = (request.method(), request.target());
            log::info!(
                "{method} {target} key={} epoch={}",
                request.key(),
                request.epoch()
            );
        }
        let plan = match Plan::from_query(request.query()) {
            Ok(plan) => plan,
            Err(error) => return Ok(text(400, error.to_string())),
        };
        self.wait(&request, plan.sleep).await;
        if let Some(accepted) = websocket::accept(&request) {
            return Ok(socket::echo(request, accepted, plan.goodbye));
        }
        let response = match plan.body {
            Body::Report => self.report(request, plan.status).await?,
            Body::Echo => echo(request),
            Body::Bytes(count) => download(&request, count),
            Body::Events(count) => events::response(&request, count, plan.every),
        };
        Ok(decorated(response, &plan))
    }

    async fn wait(&self, request: &Request, asked: Duration) {
        let delay = self.latency + asked;
        if !delay.is_zero() {
            let unfinished = Unfinished::new(request);
            sleep(delay).await;
            unfinished.finish();
        }
    }

    async fn report(
        &self,
        mut request: Request,
        status: Option<u16>,
    ) -> Result<Response, HandlerError> {
        let contents = read(&mut request).await?;
        let response = Response::new(status.unwrap_or(200));
        Ok(match &self.fixed {
            // Neither has a body (RFC 9110, sections 15.3.5 and 15.4.5).
            _ if matches!(status, Some(204 | 304)) => response,
            Some(body) => response.content_type(OCTETS).body(body.clone()),
            None => response.json(&Report {
                worker: &self.worker,
                name: &self.name,
                key: request.key(),
                epoch: request.epoch().get(),
                method: request.method(),
                path: request.path(),
                query: request.query(),
                body_bytes: contents.bytes(),
                body: contents.text(),
            }),
        })
    }
}

/// `count` bytes, as a body of one piece.
pub(crate) fn made(count: usize) -> Bytes {
    if count <= CHUNK.len() {
        Bytes::from_static(&CHUNK[..count])
    } else {
        Bytes::from(vec![CHUNK[0]; count])
    }
}

async fn read(request: &mut Request) -> Result<Contents, BodyError> {
    let mut contents = Contents::default();
    if request.body().is_finished() {
        return Ok(contents);
    }
    let unfinished = Unfinished::new(request);
    while let Some(chunk) = request.body().next().await {
        contents.add(&chunk?);
    }
    unfinished.finish();
    Ok(contents)
}

fn echo(request: Request) -> Response {
    let kind = request.header("content-type").unwrap_or(OCTETS).to_owned();
    let unfinished = Unfinished::new(&request);
    Response::ok()
        .content_type(kind)
        .stream(watched(unfinished, request.into_body()))
}

fn download(request: &Request, count: u64) -> Response {
    let unfinished = Unfinished::new(request);
    let range = request
        .header("range")
        .and_then(|range| asked(range, count));
    let (response, count) = match range {
        Some((first, last)) => {
            let range = format!("bytes {first}-{last}/{count}");
            let response = Response::new(206).header("content-range", range);
            (response, last + 1 - first)
        }
        None => (Response::ok(), count),
    };
    response
        .content_type(OCTETS)
        .header("accept-ranges", "bytes")
        .header("content-length", count.to_string())
        .stream(watched(unfinished, chunks(count).map(Ok::<_, BodyError>)))
}

/// The first and the last byte of a single range (RFC 9110, section 14.1.2), if it can be given.
fn asked(range: &str, count: u64) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = count.checked_sub(1)?;
    let first = first.parse().ok()?;
    let last = if last.is_empty() {
        end
    } else {
        last.parse().ok()?
    };
    (first <= last && first <= end).then_some((first, last.min(end)))
}

/// With what the plan adds to its headers.
fn decorated(mut response: Response, plan: &Plan) -> Response {
    for cookie in 0..plan.cookies {
        response = response.header("set-cookie", format!("cookie-{cookie}={cookie}; Path=/"));
    }
    match plan.header_bytes {
        0 => response,
        length => response.header("x-large", "x".repeat(length.into())),
    }
}

/// So many bytes, cut into pieces.
fn chunks(count: u64) -> impl Stream<Item = Bytes> + Send {
    stream::iter((0..count).step_by(CHUNK.len()).map(move |from| {
        let left = usize::try_from(count - from).unwrap_or(usize::MAX);
        Bytes::from_static(&CHUNK[..left.min(CHUNK.len())])
    }))
}

/// The same stream; tells when it is dropped before its end.
pub(crate) fn watched<S>(unfinished: Unfinished, stream: S) -> impl Stream<Item = S::Item> + Send
where
    S: Stream + Send + Unpin,
{
    stream::unfold(
        (unfinished, stream),
        async |(unfinished, mut stream)| match stream.next().await {
            Some(item) => Some((item, (unfinished, stream))),
            None => {
                unfinished.finish();
                None
            }
        },
    )
}

fn text(status: u16, text: String) -> Response {
    Response::new(status)
        .content_type("text/plain; charset=utf-8")
        .body(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(count: u64) -> Vec<usize> {
        let lengths = chunks(count).map(|chunk| chunk.len()).collect();
        futures::executor::block_on(lengths)
    }

    #[test]
    fn a_range_lies_within_what_there_is() {
        assert_eq!(asked("bytes=0-9", 100), Some((0, 9)));
        assert_eq!(asked("bytes=90-", 100), Some((90, 99)));
        assert_eq!(asked("bytes=90-1000", 100), Some((90, 99)));
        for none in [
            "bytes=100-",
            "bytes=9-8",
            "bytes=-5",
            "bytes=0-1,3-4",
            "lines=0-1",
        ] {
            assert_eq!(asked(none, 100), None, "{none}");
        }
        assert_eq!(asked("bytes=0-0", 0), None);
    }

    #[test]
    fn a_made_body_has_exactly_the_length_asked_for() {
        let chunk = CHUNK.len();
        assert_eq!(lengths(0), [0; 0]);
        assert_eq!(lengths(1), [1]);
        assert_eq!(lengths(2 * chunk as u64), [chunk, chunk]);
        assert_eq!(lengths(2 * chunk as u64 + 5), [chunk, chunk, 5]);
        for count in [0, 100, chunk, chunk + 1] {
            assert_eq!(made(count).len(), count);
        }
    }
}
