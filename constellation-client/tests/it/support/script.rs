//! A controller that says what a test tells it to, and keeps what the worker says, in order.

use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_codec::Framed;
use actix_http::ws::{Codec, Frame as WsFrame, Message, hash_key};
use bytes::{Bytes, BytesMut};
use constellation_actors::{
    placement::{epoch::Epoch, grant::GrantId, key::ResourceKey},
    protocol::{
        frame::{
            Held, SizeLimits, StreamId,
            code::{ResetCode, RevokeReason},
            decode::{Control, Frame, Frames},
            encode,
        },
        handshake::{Goaway, Hello, VERSION, Welcome, WireLimits},
        head::{HEAD_BYTES_MAX, RequestLine, ResponseHead, encode::HeadEncoder},
        mux::{
            Mux, Role,
            event::{Ended, Event},
            limits::Limits,
        },
    },
};
use futures::{Sink, Stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

use super::soon;

/// The most bytes that are put into one message.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// Waits for a worker's connections.
pub(crate) struct Script {
    listener: TcpListener,
}

/// A worker's connection.
pub(crate) struct Peer {
    framed: Framed<TcpStream, Codec>,
    mux: Mux,
    pub(crate) authorization: Option<String>,
    pub(crate) hello: Hello,
    pub(crate) holding: Vec<Held>,
    /// What the worker did, as far as no test has looked at it.
    said: VecDeque<Said>,
    closed: bool,
    silent: bool,
    content_received: usize,
}

/// What a worker said, but for content, credit and renewals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Response(StreamId),
    Reset(StreamId, ResetCode),
    Released(String, u64),
    Goaway(String),
    Closed,
}

/// The rules of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) resumed: bool,
    pub(crate) ttl: Duration,
    pub(crate) margin: Duration,
}

/// Leases of six seconds, of which the worker has five and a quarter.
pub(crate) const SIX_SECONDS: Terms = Terms {
    resumed: false,
    ttl: Duration::from_secs(6),
    margin: Duration::from_millis(750),
};

/// Leases longer than any test.
pub(crate) const AN_HOUR: Terms = Terms {
    resumed: false,
    ttl: Duration::from_secs(3600),
    margin: Duration::from_secs(450),
};

/// What an exchange came to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.content).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.content).unwrap()
    }
}

impl Script {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Self { listener }
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "ws://127.0.0.1:{}",
            self.listener.local_addr().unwrap().port()
        )
    }

    /// The next connection of a worker, after it introduced itself.
    pub(crate) async fn accept(&self) -> Peer {
        let accepted = soon("a connection", self.listener.accept()).await;
        let (mut stream, _) = accepted.unwrap();
        stream.set_nodelay(true).unwrap();
        let authorization = soon("an upgrade", upgrade(&mut stream)).await;
        let codec = Codec::new().max_size(1 << 20);
        let mut framed = Framed::new(stream, codec);
        let (hello, holding) = soon("a HELLO", introduction(&mut framed)).await;
        Peer {
            framed,
            mux: Mux::new(Role::Controller, Limits::default()).unwrap(),
            authorization,
            hello,
            holding,
            said: VecDeque::new(),
            closed: false,
            silent: false,
            content_received: 0,
        }
    }

    /// The same, and welcomes it.
    pub(crate) async fn welcome(&self, terms: Terms) -> Peer {
        let mut peer = self.accept().await;
        peer.welcome(terms);
        peer
    }
}

/// Answers the upgrade; what the worker brought to be let in.
async fn upgrade(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned())
    };
    assert_eq!(
        header("sec-websocket-protocol").as_deref(),
        Some("constellation.v1")
    );
    let accept = hash_key(header("sec-websocket-key").unwrap().as_bytes());
    let accept = std::str::from_utf8(&accept).unwrap();
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {accept}\r\nsec-websocket-protocol: constellation.v1\r\n\r\n"
    );
    stream.write_all(response.as_bytes()).await.unwrap();
    header("authorization")
}

async fn introduction(framed: &mut Framed<TcpStream, Codec>) -> (Hello, Vec<Held>) {
    let mut hello = None;
    let mut holding = Vec::new();
    loop {
        let message = poll_fn(|context| Pin::new(&mut *framed).poll_next(context)).await;
        let Some(Ok(WsFrame::Binary(message))) = message else {
            panic!("no introduction: {message:?}");
        };
        for frame in Frames::new(message, SizeLimits::default()) {
            match frame.unwrap() {
                Frame::Control(Control::Hello { json }) => {
                    hello = Some(Hello::parse(&json).unwrap());
                }
                Frame::Control(Control::Holding { entries }) => holding.extend(entries),
                frame => panic!("no introduction: {frame:?}"),
            }
        }
        if let Some(hello) = &hello
            && hello.holding as usize == holding.len()
        {
            return (hello.clone(), holding);
        }
    }
}

impl Peer {
    pub(crate) fn welcome(&mut self, terms: Terms) {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap();
        let welcome = Welcome {
            version: VERSION,
            session: 1,
            controller: Uuid::nil(),
            resumed: terms.resumed,
            interval_ms: millis(terms.ttl) / 3,
            ttl_ms: millis(terms.ttl),
            margin_ms: millis(terms.margin),
            limits: WireLimits::new(&Limits::default(), 30_000),
        };
        let json = welcome.to_json();
        self.say(|buffer| encode::welcome(buffer, &json));
    }

    /// Queues frames; they go out with the next wait.
    pub(crate) fn say(&mut self, frames: impl FnOnce(&mut BytesMut)) {
        self.mux.control(frames).unwrap();
    }

    /// Acknowledges no renewal from now on.
    pub(crate) fn fall_silent(&mut self) {
        self.silent = true;
    }

    pub(crate) fn grant(&mut self, id: u32, epoch: u64, key: &str) -> GrantId {
        let id = GrantId::new(id);
        let key = ResourceKey::parse(key).unwrap();
        self.say(|buffer| encode::grant(buffer, id, Epoch::new(epoch), &key));
        id
    }

    /// Asks for a key back, as of a worker that drains.
    pub(crate) fn take_back(&mut self, epoch: u64, key: &str) {
        let key = ResourceKey::parse(key).unwrap();
        let epoch = Epoch::new(epoch);
        self.say(|buffer| encode::revoke(buffer, RevokeReason::Drain, epoch, &key));
    }

    pub(crate) fn go_away(&mut self, code: &str) {
        let json = Goaway::new(code, "").to_json();
        self.say(|buffer| encode::go_away(buffer, &json));
    }

    /// Begins an exchange without a body.
    pub(crate) fn request(&mut self, grant: GrantId, path: &str) -> StreamId {
        self.open(grant, path, true, &[])
    }

    /// Begins an exchange; with `end` it has no body.
    pub(crate) fn open(
        &mut self,
        grant: GrantId,
        path: &str,
        end: bool,
        fields: &[(&str, &str)],
    ) -> StreamId {
        let opened = self
            .mux
            .open(grant, end, |buffer| write_head(buffer, path, fields));
        opened.unwrap()
    }

    /// Asks for a websocket.
    pub(crate) fn upgrade(&mut self, grant: GrantId, path: &str) -> StreamId {
        let fields = [
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let opened = self.mux.open_tunnel(grant, Epoch::default(), |buffer| {
            write_head(buffer, path, &fields)
        });
        opened.unwrap()
    }

    /// Sends content that is not the last.
    pub(crate) async fn send(&mut self, stream: StreamId, content: &'static [u8]) {
        let mut content = Bytes::from_static(content);
        let sent =
            self.drive(|peer, context| peer.mux.poll_content(stream, context, &mut content, false));
        soon("content to be sent", sent).await.unwrap();
    }

    /// The whole answer of an exchange.
    #[track_caller]
    pub(crate) fn answer(
        &mut self,
        stream: StreamId,
    ) -> impl Future<Output = Result<Answer, Ended>> {
        soon("an answer", async move {
            let (status, first, end) = self.head(stream).await?;
            let mut content = BytesMut::from(&first[..]);
            let mut rest = !end;
            while rest {
                match self.chunk(stream).await {
                    Some(chunk) => content.extend_from_slice(&chunk?),
                    None => rest = false,
                }
            }
            Ok(Answer {
                status,
                content: content.freeze(),
            })
        })
    }

    /// The head of an answer: its status, its first content, and whether that is all.
    pub(crate) async fn head(&mut self, stream: StreamId) -> Result<(u16, Bytes, bool), Ended> {
        let frame = self
            .drive(|peer, context| peer.mux.poll_response(stream, context))
            .await?;
        let (head, content) = ResponseHead::decode(&frame.payload, HEAD_BYTES_MAX).unwrap();
        Ok((head.status().get(), content, frame.end))
    }

    pub(crate) async fn chunk(&mut self, stream: StreamId) -> Option<Result<Bytes, Ended>> {
        soon(
            "content",
            self.drive(|peer, context| peer.mux.poll_chunk(stream, context)),
        )
        .await
    }

    /// Sends as much of `content` as goes without waiting.
    pub(crate) async fn send_what_goes(&mut self, stream: StreamId, content: &mut Bytes) {
        self.drive(|peer, context| {
            let sent = peer.mux.poll_content(stream, context, content, true);
            Poll::Ready(sent.map(Result::unwrap).is_ready())
        })
        .await;
    }

    /// How much waits to be sent, for want of credit or of a reader.
    pub(crate) fn unsent(&self) -> usize {
        self.mux.queued_bytes()
    }

    /// Sends all of `content`, and that it is all.
    pub(crate) async fn send_all(&mut self, stream: StreamId, content: &mut Bytes) {
        soon(
            "all content to be sent",
            self.drive(|peer, context| peer.mux.poll_content(stream, context, content, true)),
        )
        .await
        .unwrap();
    }

    /// How much content has come behind heads.
    pub(crate) fn content_received(&self) -> usize {
        self.content_received
    }

    /// Waits until so much content has come behind heads.
    pub(crate) async fn received(&mut self, bytes: usize) {
        soon(
            "content",
            self.drive(|peer, _| match peer.content_received {
                received if received >= bytes => Poll::Ready(()),
                _ => Poll::Pending,
            }),
        )
        .await;
    }

    /// Sends what is queued and reads nothing.
    pub(crate) async fn flush(&mut self) {
        soon(
            "a message to be sent",
            poll_fn(|context| {
                self.write(context);
                Sink::<Message>::poll_flush(Pin::new(&mut self.framed), context)
            }),
        )
        .await
        .unwrap();
    }

    /// Gives up an exchange, as when its client goes away.
    pub(crate) fn cancel(&mut self, stream: StreamId) {
        self.mux.close(stream);
    }

    /// What the worker said next.
    pub(crate) async fn said(&mut self) -> Said {
        soon(
            "the worker to say something",
            self.drive(|peer, _| match peer.said.pop_front() {
                Some(said) => Poll::Ready(said),
                None => Poll::Pending,
            }),
        )
        .await
    }

    /// Carries frames both ways while `future` runs.
    pub(crate) async fn during<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        self.drive(|_, context| future.as_mut().poll(context)).await
    }

    /// Carries frames both ways until `poll` is ready.
    async fn drive<T>(
        &mut self,
        mut poll: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<T>,
    ) -> T {
        poll_fn(|context| {
            self.read(context);
            let outcome = poll(self, context);
            self.write(context);
            self.mux.take_wakers().wake();
            outcome
        })
        .await
    }

    fn read(&mut self, context: &mut Context<'_>) {
        while !self.closed {
            match Pin::new(&mut self.framed).poll_next(context) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(WsFrame::Binary(message)))) => self.take(message),
                Poll::Ready(Some(Ok(WsFrame::Close(_)))) => {
                    self.say_closed();
                    let _gone = Pin::new(&mut self.framed).start_send(Message::Close(None));
                }
                Poll::Ready(None | Some(Err(_))) => self.say_closed(),
                Poll::Ready(Some(Ok(frame))) => panic!("not expected from a worker: {frame:?}"),
            }
        }
    }

    fn say_closed(&mut self) {
        self.closed = true;
        self.said.push_back(Said::Closed);
        self.mux.end_all();
    }

    fn take(&mut self, message: Bytes) {
        for frame in Frames::new(message.clone(), SizeLimits::default()) {
            let frame = frame.unwrap();
            if let Frame::Data { content, .. } = &frame {
                self.content_received += content.len();
            }
            self.said.extend(said(&frame));
        }
        let mut events = Vec::new();
        self.mux.receive(message, &mut events).unwrap();
        for event in events {
            if let Event::Control(Control::Heartbeat { sequence }) = event
                && !self.silent
            {
                self.say(|buffer| encode::heartbeat_ack(buffer, sequence));
            }
        }
    }

    fn write(&mut self, context: &mut Context<'_>) {
        while Sink::<Message>::poll_ready(Pin::new(&mut self.framed), context).is_ready() {
            match self.mux.poll_output(context, OUTPUT_BYTES_MAX) {
                Poll::Ready(Some(message)) => {
                    let message = Message::Binary(message.join());
                    Pin::new(&mut self.framed).start_send(message).unwrap();
                }
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        // A worker that is gone is found out by reading.
        let _gone = Sink::<Message>::poll_flush(Pin::new(&mut self.framed), context);
    }
}

fn write_head(buffer: &mut BytesMut, path: &str, fields: &[(&str, &str)]) {
    let line = RequestLine {
        method: "GET",
        scheme: "http",
        authority: "localhost",
        path,
    };
    let mut head = HeadEncoder::request(buffer, line);
    for (name, value) in fields {
        head.field(name, value);
    }
    head.finish(HEAD_BYTES_MAX).unwrap();
}

fn said(frame: &Frame) -> Option<Said> {
    match frame {
        Frame::Response { stream, .. } => Some(Said::Response(*stream)),
        Frame::Reset { stream, code, .. } => Some(Said::Reset(*stream, *code)),
        Frame::Control(Control::Released { epoch, key }) => {
            Some(Said::Released(key.to_string(), epoch.get()))
        }
        Frame::Control(Control::GoAway { json }) => {
            Some(Said::Goaway(Goaway::parse(json).unwrap().code))
        }
        Frame::Control(_)
        | Frame::Request { .. }
        | Frame::Data { .. }
        | Frame::Credit { .. }
        | Frame::Unknown { .. } => None,
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Peer")
            .field("hello", &self.hello)
            .field("said", &self.said)
            .finish_non_exhaustive()
    }
}
