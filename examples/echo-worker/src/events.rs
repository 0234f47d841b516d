//! Server-sent events (WHATWG HTML, section 9.2), each with its number and when it was written.

use std::time::Duration;

use actix_rt::time::{Instant, sleep_until};
use bytes::Bytes;
use constellation_client::{BodyError, Request, Response};
use futures::{Stream, stream};
use rustix::time::{ClockId, clock_gettime};

use crate::echo::{Unfinished, watched};

/// A response of so many events, one every so often; the first comes at once.
pub(crate) fn response(request: &Request, count: u64, every: Duration) -> Response {
    let unfinished = Unfinished::new(request);
    Response::ok()
        .content_type("text/event-stream")
        .header("cache-control", "no-store")
        .stream(watched(unfinished, Box::pin(events(count, every))))
}

/// The events. When one comes late, those after it do not: their times are fixed at the beginning.
fn events(count: u64, every: Duration) -> impl Stream<Item = Result<Bytes, BodyError>> + Send {
    let start = Instant::now();
    stream::unfold(0, move |number| async move {
        if number == count {
            return None;
        }
        let passed = every.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
        sleep_until(start + passed).await;
        Some((Ok(event(number)), number + 1))
    })
}

/// One event: its number and the microseconds of the machine's monotonic clock, which every process
/// on the machine reads alike.
fn event(number: u64) -> Bytes {
    let now = clock_gettime(ClockId::Monotonic);
    let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
    Bytes::from(format!("id: {number}\ndata: {micros}\n\n"))
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    #[actix_rt::test]
    async fn events_are_numbered_and_end() {
        let events: Vec<_> = events(3, Duration::from_millis(1)).collect().await;
        assert_eq!(events.len(), 3);
        let last = String::from_utf8(events[2].as_ref().unwrap().to_vec()).unwrap();
        assert!(
            last.starts_with("id: 2\ndata: ") && last.ends_with("\n\n"),
            "{last}"
        );
    }
}
