//! A room: the lines that were said in it, kept in the memory of its one owner. The state is
//! pure; the actor around it only speaks HTTP.

use std::collections::VecDeque;

use actix::{Actor, ActorFutureExt, Context, Handler, ResponseActFuture, WrapFuture};
use constellation_client::{BodyError, Closing, Grant, HandlerError, Request, Response};
use serde::Serialize;

/// The most lines a room remembers; the oldest goes first.
const LINES_MAX: usize = 100;

/// The most bytes of a line.
const LINE_BYTES_MAX: usize = 200;

/// What was said in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Lines(VecDeque<String>);

impl Lines {
    /// Remembers one more line.
    pub(crate) fn say(&mut self, line: String) {
        if self.0.len() == LINES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }
}

/// The owner of one room.
#[derive(Debug)]
pub(crate) struct Room {
    grant: Grant,
    lines: Lines,
}

/// What a client is shown of a room.
#[derive(Serialize)]
struct View<'a> {
    room: &'a str,
    epoch: u64,
    lines: &'a Lines,
}

/// Why a line is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum LineError {
    #[error("a line has at most {LINE_BYTES_MAX} bytes")]
    TooLong,
    #[error("a line is not empty")]
    Empty,
    #[error("a line is text in UTF-8")]
    NotText,
    #[error("the line broke off")]
    BrokenOff,
}

impl Room {
    /// The empty room of this grant.
    pub(crate) fn new(grant: Grant) -> Self {
        Self {
            grant,
            lines: Lines::default(),
        }
    }

    fn show(&self) -> Response {
        let room = self.grant.key();
        Response::ok().json(&View {
            room,
            epoch: self.grant.epoch().get(),
            lines: &self.lines,
        })
    }
}

impl Actor for Room {
    type Context = Context<Self>;
}

impl Handler<Request> for Room {
    type Result = ResponseActFuture<Self, Result<Response, HandlerError>>;

    fn handle(&mut self, mut request: Request, _context: &mut Self::Context) -> Self::Result {
        match request.method() {
            "GET" | "HEAD" => Box::pin(actix::fut::ready(Ok(self.show()))),
            "POST" => {
                let line = async move { line(&mut request).await };
                Box::pin(line.into_actor(self).map(|line, room, _| {
                    Ok(match line {
                        Ok(line) => {
                            room.lines.say(line);
                            room.show()
                        }
                        Err(error) => refuse(400, &error.to_string()),
                    })
                }))
            }
            _ => {
                let refusal = refuse(405, "read with GET, add a line with POST");
                Box::pin(actix::fut::ready(Ok(
                    refusal.header("allow", "GET, HEAD, POST")
                )))
            }
        }
    }
}

impl Handler<Closing> for Room {
    type Result = ();

    /// A room is forgotten with its owner: there is nothing to save.
    fn handle(&mut self, closing: Closing, _context: &mut Self::Context) {
        log::info!("{} closes: {}", self.grant.key(), closing.reason);
    }
}

async fn line(request: &mut Request) -> Result<String, LineError> {
    let bytes = request
        .body()
        .bytes(LINE_BYTES_MAX)
        .await
        .map_err(|error| match error {
            BodyError::TooLarge { .. } => LineError::TooLong,
            BodyError::BrokenOff { .. } => LineError::BrokenOff,
        })?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<String, LineError> {
    let text = str::from_utf8(bytes)
        .map_err(|_| LineError::NotText)?
        .trim();
    if text.is_empty() {
        Err(LineError::Empty)
    } else {
        Ok(text.to_owned())
    }
}

fn refuse(status: u16, words: &str) -> Response {
    Response::new(status)
        .content_type("text/plain; charset=utf-8")
        .body(words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_remembers_the_latest_lines() {
        let mut lines = Lines::default();
        (0..=LINES_MAX).for_each(|number| lines.say(number.to_string()));
        assert_eq!(lines.0.len(), LINES_MAX);
        assert_eq!(lines.0.front().map(String::as_str), Some("1"));
        assert_eq!(lines.0.back(), Some(&LINES_MAX.to_string()));
    }

    #[test]
    fn a_line_is_text_and_something() {
        assert_eq!(parse(b" e4\n"), Ok("e4".to_owned()));
        assert_eq!(parse(b" \n"), Err(LineError::Empty));
        assert_eq!(parse(b"\xff"), Err(LineError::NotText));
    }
}
