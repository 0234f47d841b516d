//! Keeps one controller connected: dials, introduces the worker, carries the session until it ends,
//! waits, dials again. It knows nothing of keys but which ones to name.

use std::{
    future::poll_fn,
    pin::pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use constellation_actors::{
    placement::{
        lease::{LeaseTerms, TermsError},
        moment::Moment,
    },
    protocol::{
        frame::{
            SizeLimits,
            decode::{Control, Frame, Frames},
            encode,
            error::FrameError,
        },
        handshake::{self, Goaway, Hello, VERSION, Welcome},
        mux::{
            Mux, Role,
            limits::{Limits, LimitsError},
            shared::Shared,
        },
    },
};
use futures::future::{Either, select};

use crate::{
    backoff::{Backoff, LONGEST, LONGEST_LEASED},
    domain::Domain,
    session::{Farewell, Session},
    socket::{DialError, MESSAGE_BYTES_MAX, Socket, SocketError},
};

/// How long a controller may take to answer a hello.
const WELCOME_WITHIN: Duration = Duration::from_secs(10);

/// How long a session must have lasted for the next wait to be a first one.
const STABLE_AFTER: Duration = Duration::from_secs(5);

/// How long requests are still refused over a session whose lease has ended, so that the controller
/// learns that they were not begun.
const REFUSE_FOR: Duration = Duration::from_millis(500);

/// How long a session may take to send what is queued and to close.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// The messages that are read before others get a turn.
const MESSAGES_PER_TURN: usize = 32;

/// The longest message of HOLDING frames, in bytes.
const HOLDING_BYTES_MAX: usize = 64 * 1024;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("no WELCOME came within {WELCOME_WITHIN:?}")]
    NoWelcome,
    #[error("the controller sends the worker away: {} {}", .0.code, .0.reason)]
    SentAway(Goaway),
    #[error("the controller's first message is no WELCOME")]
    NotAWelcome,
    #[error("the controller's first message cannot be read: {0}")]
    Frame(#[from] FrameError),
    #[error("WELCOME or GOAWAY cannot be accepted: {0}")]
    Handshake(#[from] handshake::Error),
    #[error("WELCOME announces a lease that cannot be kept: {0}")]
    Terms(#[from] TermsError),
    #[error("WELCOME announces limits that do not fit together: {0}")]
    Limits(#[from] LimitsError),
    #[error(
        "WELCOME announces messages of {bytes} bytes, at most {MESSAGE_BYTES_MAX} are taken here"
    )]
    MessagesTooLong { bytes: u32 },
}

/// What a welcome came to.
struct Introduced {
    session: Rc<Session>,
    resumed: bool,
    terms: LeaseTerms,
    hello_sent: Moment,
    /// What came in the same message behind the welcome.
    rest: Bytes,
}

/// Keeps `domain` connected until it is drained.
pub(crate) async fn run(domain: Rc<Domain>) {
    let clock = &domain.settings().clock;
    let mut backoff = Backoff::default();
    loop {
        let reason = match connect(&domain).await {
            None => break,
            Some(Err(error)) => error.to_string(),
            Some(Ok((socket, introduced))) => {
                let begun = clock.now();
                let reason = serve(&domain, socket, introduced).await;
                if clock.now().saturating_since(begun) >= STABLE_AFTER {
                    backoff.reset();
                }
                reason
            }
        };
        if !domain.is_serving() {
            break;
        }
        let wait = backoff.next_wait(random(), longest_wait(&domain));
        log::info!(
            controller = &**domain.controller().text(), wait:? = wait; "not connected: {reason}"
        );
        domain.set_trouble(reason);
        select(pin!(clock.sleep(wait)), pin!(domain.leaving())).await;
    }
    domain.left().await;
    domain.finish();
}

/// While the lease runs, keys are kept only by coming back before its end.
fn longest_wait(domain: &Domain) -> Duration {
    match domain.lease_left() {
        Some(_) => LONGEST_LEASED,
        None => LONGEST,
    }
}

fn random() -> u64 {
    // Without a source of randomness the longest wait is a safe one.
    getrandom::u64().unwrap_or(u64::MAX)
}

/// A new session; `None` when the worker is drained meanwhile.
async fn connect(domain: &Domain) -> Option<Result<(Socket, Introduced), ConnectError>> {
    let dial = pin!(async {
        let token = domain.settings().token.as_ref();
        let mut socket = Socket::connect(domain.controller(), token).await?;
        let introduced = introduce(domain, &mut socket).await?;
        Ok((socket, introduced))
    });
    // The drain is looked at first: a session that began beside it would never be told to end.
    match select(pin!(domain.leaving()), dial).await {
        Either::Left(((), _)) => None,
        Either::Right((connected, _)) => Some(connected),
    }
}

/// Says hello and waits for the welcome.
async fn introduce(domain: &Domain, socket: &mut Socket) -> Result<Introduced, ConnectError> {
    let clock = &domain.settings().clock;
    let hello_sent = clock.now();
    for message in introduction(domain) {
        socket.put_binary(message.into());
        poll_fn(|context| socket.poll_flush(context)).await?;
    }
    let answer = pin!(poll_fn(|context| socket.poll_message(context)));
    let answer = match select(answer, pin!(clock.sleep(WELCOME_WITHIN))).await {
        Either::Left((answer, _)) => answer?,
        Either::Right(((), _)) => return Err(ConnectError::NoWelcome),
    };
    let mut frames = Frames::new(answer, SizeLimits::default());
    let welcome = match frames.next().ok_or(ConnectError::NotAWelcome)?? {
        Frame::Control(Control::Welcome { json }) => Welcome::parse(&json)?,
        Frame::Control(Control::GoAway { json }) => {
            return Err(ConnectError::SentAway(Goaway::parse(&json)?));
        }
        _ => return Err(ConnectError::NotAWelcome),
    };
    accept(&welcome, hello_sent, frames.rest())
}

/// The messages that introduce the worker: HELLO, and HOLDING as often as it takes.
fn introduction(domain: &Domain) -> Vec<Bytes> {
    let settings = domain.settings();
    let held = domain.held();
    let hello = Hello {
        version: VERSION,
        worker: settings.worker,
        incarnation: settings.incarnation,
        name: settings.name.clone(),
        labels: settings.labels.clone(),
        capacity: settings.capacity,
        serves: settings
            .serves
            .iter()
            .map(|pattern| pattern.as_str().to_owned())
            .collect(),
        holding: u32::try_from(held.len()).unwrap_or(u32::MAX),
        library: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    let mut buffer = BytesMut::new();
    encode::hello(&mut buffer, &hello.to_json());
    let mut messages = vec![buffer.split().freeze()];
    let mut rest = &held[..];
    while !rest.is_empty() {
        rest = encode::holding(&mut buffer, rest, HOLDING_BYTES_MAX);
        messages.push(buffer.split().freeze());
    }
    messages
}

fn accept(welcome: &Welcome, hello_sent: Moment, rest: Bytes) -> Result<Introduced, ConnectError> {
    let millis = Duration::from_millis;
    let (ttl, margin) = (millis(welcome.ttl_ms), millis(welcome.margin_ms));
    // At least twice in a lease, even if the controller asks for less: one renewal must be able to
    // come late.
    let interval = millis(welcome.interval_ms).min(ttl.saturating_sub(margin) / 2);
    let terms = LeaseTerms::with_margin(ttl, margin, interval)?;
    let limits: Limits = welcome.limits.for_mux();
    let bytes = limits.sizes.message_bytes_max;
    if bytes > MESSAGE_BYTES_MAX {
        return Err(ConnectError::MessagesTooLong { bytes });
    }
    let mux = Shared::new(Mux::new(Role::Worker, limits)?);
    let session = Session::new(welcome.session, mux, limits);
    Ok(Introduced {
        session,
        resumed: welcome.resumed,
        terms,
        hello_sent,
        rest,
    })
}

/// Carries a session to its end and tells why it ended.
async fn serve(domain: &Rc<Domain>, mut socket: Socket, introduced: Introduced) -> String {
    let Introduced {
        session,
        resumed,
        terms,
        hello_sent,
        rest,
    } = introduced;
    log::info!(
        controller = &**domain.controller().text(), session = session.number(), resumed;
        "connected"
    );
    domain.connected(Rc::clone(&session), resumed, terms, hello_sent);
    if !rest.is_empty() {
        session.receive(domain, rest);
    }
    let mut closing = Closing::NotYet;
    let ended = {
        let carrying = pin!(carry(domain, &session, &mut socket, &mut closing));
        let leaving = pin!(leave(domain, &session));
        match select(carrying, leaving).await {
            Either::Left((error, _)) => Some(error),
            Either::Right(_) => None,
        }
    };
    session.end_exchanges();
    let farewell = session.farewell();
    // Only the controller's own Close says that it has read everything before ours.
    let answered = matches!(ended, Some(SocketError::Closed(_))) && closing == Closing::Sent;
    if answered && farewell == Some(Farewell::Goodbye) {
        domain.set_told();
    }
    let reason = match (farewell, ended) {
        (Some(farewell), _) => farewell.to_string(),
        (None, Some(error)) => error.to_string(),
        (None, None) => "it did not end in time".to_owned(),
    };
    domain.disconnected(reason.clone());
    reason
}

/// How far this side's Close frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    NotYet,
    Queued,
    Sent,
}

/// Once the session is to end, gives it time to send what is queued; returns when that is over.
async fn leave(domain: &Domain, session: &Session) {
    let clock = &domain.settings().clock;
    match session.leaving().await {
        Farewell::LeaseEnded => clock.sleep(REFUSE_FOR).await,
        // The controller closes when it is ready, and requests may still come to their end.
        Farewell::GoneAway(Goaway { code, .. }) if code == "shutdown" => {
            clock.sleep(domain.settings().drain_timeout).await;
        }
        Farewell::GoneAway(_) | Farewell::Fault(_) | Farewell::Stalled | Farewell::Goodbye => {}
    }
    session.mux().with(|mux| mux.finish());
    clock.sleep(CLOSE_WITHIN).await;
}

/// Carries messages both ways until the connection ends, and tells how.
async fn carry(
    domain: &Rc<Domain>,
    session: &Session,
    socket: &mut Socket,
    closing: &mut Closing,
) -> SocketError {
    poll_fn(|context| {
        let read = read(domain, session, socket, context);
        if let Err(error) = write(session, socket, closing, context) {
            return Poll::Ready(error);
        }
        read
    })
    .await
}

/// Reads what has come, up to a turn's share; ready when the connection ended.
fn read(
    domain: &Rc<Domain>,
    session: &Session,
    socket: &mut Socket,
    context: &mut Context<'_>,
) -> Poll<SocketError> {
    for _ in 0..MESSAGES_PER_TURN {
        match socket.poll_message(context) {
            // Nothing that comes behind a fault can be trusted.
            Poll::Ready(Ok(_)) if matches!(session.farewell(), Some(Farewell::Fault(_))) => {}
            Poll::Ready(Ok(message)) => session.receive(domain, message),
            Poll::Ready(Err(error)) => return Poll::Ready(error),
            Poll::Pending => return Poll::Pending,
        }
    }
    context.waker().wake_by_ref();
    Poll::Pending
}

/// Writes what is queued, as far as the socket takes it, in as few system calls as possible.
fn write(
    session: &Session,
    socket: &mut Socket,
    closing: &mut Closing,
    context: &mut Context<'_>,
) -> Result<(), SocketError> {
    let bytes_max = session.limits().message_bytes();
    while *closing == Closing::NotYet {
        match socket.poll_room(context) {
            Poll::Ready(room) => room?,
            Poll::Pending => return Ok(()),
        }
        match session
            .mux()
            .with(|mux| mux.poll_output(context, bytes_max))
        {
            Poll::Ready(Some(message)) => socket.put_binary(message),
            Poll::Ready(None) => {
                let words = session
                    .farewell()
                    .map_or_else(String::new, |it| it.to_string());
                socket.put_close(&words);
                *closing = Closing::Queued;
            }
            Poll::Pending => break,
        }
    }
    if socket.poll_flush(context)?.is_ready() && *closing == Closing::Queued {
        *closing = Closing::Sent;
    }
    Ok(())
}
