//! Many exchanges between two muxes, each with two tasks at either side, over a narrow connection
//! and with credit for a few bytes: what was sent arrives in order and once, nobody waits for ever,
//! and in the end nothing is left and all credit is back.

use std::{cell::RefCell, collections::HashMap, future::poll_fn, rc::Rc};

use bytes::{BufMut, Bytes, BytesMut};
use proptest::{collection::vec, prelude::*};

use super::{
    executor::{Draw, Executor, Spawner, pause},
    wire::{End, connect},
};
use crate::{
    placement::{epoch::Epoch, grant::GrantId},
    protocol::{
        frame::{SizeLimits, StreamId, code::ResetCode},
        mux::{
            Mux, Role,
            error::OpenError,
            event::{Ended, Event},
            limits::Limits,
            shared::Shared,
            testing::assert_credit_is_whole,
        },
    },
};

/// Everything is scarce.
const LIMITS: Limits = Limits {
    sizes: SizeLimits {
        data_bytes_max: 16,
        head_bytes_max: 16,
        message_bytes_max: 256,
    },
    stream_credit: 40,
    session_credit: 70,
    exchanges_max: 64,
    tunnels_max: 64,
    tunnel_credit: 40,
    urgent_bytes_max: 1000,
    bulk_bytes_max: 48,
    part_bytes_min: 8,
};

/// A body: what rides behind its head, and the chunks that follow.
#[derive(Clone, Debug)]
struct Body {
    inline: usize,
    chunks: Vec<usize>,
}

impl Body {
    fn bytes(&self) -> usize {
        self.inline + self.chunks.iter().sum::<usize>()
    }

    fn is_inline(&self) -> bool {
        self.chunks.is_empty()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// Sends its request and takes the response.
    Patient,
    /// Goes away after it took that many chunks.
    Leaves { chunks: usize },
    /// Sends that many chunks of its request and never the end, but takes the response.
    GivesUpSending { chunks: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handler {
    /// Takes the request and sends the response at once.
    Both,
    /// Takes the request, then sends the response.
    InTurn,
    /// Sends the response and does not look at the content of the request.
    Deaf,
    /// Resets the exchange instead of answering, when it took that many chunks.
    Resets { chunks: usize },
    /// Waits until it is cancelled.
    Silent,
}

#[derive(Clone, Debug)]
struct Script {
    /// Whether it may become a tunnel.
    upgrade: bool,
    request: Body,
    response: Body,
    caller: Caller,
    handler: Handler,
}

impl Script {
    /// Whether both come to their ends by themselves.
    fn is_sensible(&self) -> bool {
        match (self.caller, self.handler) {
            (Caller::Leaves { chunks: 0 }, _) => true,
            (_, Handler::Silent) => false,
            (Caller::GivesUpSending { .. }, Handler::InTurn | Handler::Resets { .. }) => false,
            (Caller::Patient | Caller::Leaves { .. } | Caller::GivesUpSending { .. }, _) => true,
        }
    }

    fn request_must_arrive(&self) -> bool {
        self.caller == Caller::Patient && matches!(self.handler, Handler::Both | Handler::InTurn)
    }

    fn response_must_arrive(&self) -> bool {
        !matches!(self.caller, Caller::Leaves { .. })
            && matches!(
                self.handler,
                Handler::Both | Handler::InTurn | Handler::Deaf
            )
    }
}

fn body() -> impl Strategy<Value = Body> {
    (0..15_usize, vec(0..60_usize, 0..6)).prop_map(|(inline, chunks)| Body { inline, chunks })
}

fn script() -> impl Strategy<Value = Script> {
    let caller = prop_oneof![
        4 => Just(Caller::Patient),
        1 => (0..3_usize).prop_map(|chunks| Caller::Leaves { chunks }),
        1 => (0..3_usize).prop_map(|chunks| Caller::GivesUpSending { chunks }),
    ];
    let handler = prop_oneof![
        4 => Just(Handler::Both),
        2 => Just(Handler::InTurn),
        1 => Just(Handler::Deaf),
        1 => (0..3_usize).prop_map(|chunks| Handler::Resets { chunks }),
        1 => Just(Handler::Silent),
    ];
    (any::<bool>(), body(), body(), caller, handler)
        .prop_map(|(upgrade, request, response, caller, handler)| Script {
            upgrade: upgrade && !request.is_inline(),
            request,
            response,
            caller,
            handler,
        })
        .prop_filter("nobody would end it", Script::is_sensible)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Direction {
    Up,
    Down,
}

/// The byte at a place of a body; no other place nearby has the same.
fn byte(exchange: u8, direction: Direction, at: usize) -> u8 {
    let start = usize::from(exchange) * 7 + if direction == Direction::Up { 0 } else { 101 };
    u8::try_from((start + at) % 251).unwrap()
}

fn content(exchange: u8, direction: Direction, from: usize, bytes: usize) -> Bytes {
    (from..from + bytes)
        .map(|at| byte(exchange, direction, at))
        .collect()
}

/// What became of the bodies.
#[derive(Default)]
struct Ledger {
    complete: HashMap<(u8, Direction), usize>,
    running: usize,
}

/// One side of one exchange. The last of its tasks closes it.
struct Party {
    end: End,
    exchange: u8,
    stream: StreamId,
    ledger: Rc<RefCell<Ledger>>,
}

impl Drop for Party {
    fn drop(&mut self) {
        self.end.mux.with(|mux| mux.close(self.stream));
        self.ledger.borrow_mut().running -= 1;
    }
}

impl Party {
    fn new(end: &End, exchange: u8, stream: StreamId, ledger: &Rc<RefCell<Ledger>>) -> Rc<Self> {
        ledger.borrow_mut().running += 1;
        Rc::new(Self {
            end: end.clone(),
            exchange,
            stream,
            ledger: ledger.clone(),
        })
    }

    /// Sends the chunks of a body, and the end if it is to have one.
    async fn send(&self, direction: Direction, from: usize, chunks: &[usize], end: bool) {
        let mut at = from;
        for (number, bytes) in chunks.iter().enumerate() {
            let last = end && number + 1 == chunks.len();
            let chunk = content(self.exchange, direction, at, *bytes);
            if self.send_chunk(chunk, last).await.is_err() {
                return;
            }
            at += bytes;
        }
        if end && chunks.is_empty() {
            let _ = self.send_chunk(Bytes::new(), true).await;
        }
    }

    async fn send_chunk(&self, mut chunk: Bytes, end: bool) -> Result<(), Ended> {
        poll_fn(|context| {
            self.end
                .mux
                .with(|mux| mux.poll_content(self.stream, context, &mut chunk, end))
        })
        .await
    }

    /// Takes at most `chunks_max` chunks of a body, and notes whether it came to its end.
    async fn take(&self, direction: Direction, from: usize, chunks_max: usize) {
        let mut at = from;
        for _ in 0..chunks_max {
            if self.end_is_slow() {
                pause().await;
            }
            match self.take_chunk().await {
                Some(Ok(chunk)) => {
                    assert_eq!(chunk, content(self.exchange, direction, at, chunk.len()));
                    at += chunk.len();
                }
                Some(Err(_)) => return,
                None => {
                    self.note_complete(direction, at);
                    return;
                }
            }
        }
    }

    fn end_is_slow(&self) -> bool {
        self.exchange.is_multiple_of(3)
    }

    fn note_complete(&self, direction: Direction, bytes: usize) {
        let complete = (self.exchange, direction);
        self.ledger.borrow_mut().complete.insert(complete, bytes);
    }

    async fn take_chunk(&self) -> Option<Result<Bytes, Ended>> {
        poll_fn(|context| {
            self.end
                .mux
                .with(|mux| mux.poll_chunk(self.stream, context))
        })
        .await
    }
}

/// Everything a task of either side needs.
#[derive(Clone)]
struct Scene {
    scripts: Rc<Vec<Script>>,
    ledger: Rc<RefCell<Ledger>>,
    spawner: Spawner,
    ends: [End; 2],
}

impl Scene {
    /// Begins an exchange at the controller and sees it through.
    async fn call(self, exchange: u8) {
        let script = self.scripts[usize::from(exchange)].clone();
        let inline = content(exchange, Direction::Up, 0, script.request.inline);
        let stream = self.open(exchange, &inline, &script).await;
        let party = Party::new(&self.ends[0], exchange, stream, &self.ledger);
        if !script.request.is_inline() {
            self.spawner.spawn(upload(party.clone(), script.clone()));
        }
        let chunks_max = match script.caller {
            Caller::Leaves { chunks } => chunks,
            Caller::Patient | Caller::GivesUpSending { .. } => usize::MAX,
        };
        if chunks_max > 0 {
            download(&party, chunks_max).await;
        }
        // The upload ends with it, whether it is done or not.
        if script.caller != Caller::Patient {
            party.end.mux.with(|mux| mux.close(stream));
        }
    }

    async fn open(&self, exchange: u8, inline: &Bytes, script: &Script) -> StreamId {
        let grant = GrantId::new(1);
        loop {
            let head = |buffer: &mut BytesMut| {
                buffer.put_u8(exchange);
                buffer.put_slice(inline);
            };
            let opened = self.ends[0].mux.with(|mux| match script.upgrade {
                true => mux.open_tunnel(grant, Epoch::new(1), head),
                false => mux.open(grant, script.request.is_inline(), head),
            });
            match opened {
                Ok(stream) => return stream,
                Err(OpenError::QueueFull { .. }) => pause().await,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Handles a request at the worker.
    fn handle(&self, event: Event) {
        let Event::Request {
            stream,
            payload,
            end,
            ..
        } = event
        else {
            panic!("nobody sends anything else");
        };
        let exchange = payload[0];
        let script = self.scripts[usize::from(exchange)].clone();
        let inline = content(exchange, Direction::Up, 0, script.request.inline);
        assert_eq!(payload.slice(1..), inline);
        let party = Party::new(&self.ends[1], exchange, stream, &self.ledger);
        if end {
            party.note_complete(Direction::Up, script.request.inline);
        }
        let spawner = self.spawner.clone();
        self.spawner.spawn(handle(party, script, end, spawner));
    }
}

async fn upload(party: Rc<Party>, script: Script) {
    let Body { inline, mut chunks } = script.request;
    let mut end = true;
    if let Caller::GivesUpSending { chunks: some } = script.caller {
        chunks.truncate(some);
        end = false;
    }
    party.send(Direction::Up, inline, &chunks, end).await;
}

async fn download(party: &Party, chunks_max: usize) {
    let response = poll_fn(|context| {
        party
            .end
            .mux
            .with(|mux| mux.poll_response(party.stream, context))
    });
    let Ok(response) = response.await else {
        return;
    };
    let inline = response.payload.len();
    let expected = content(party.exchange, Direction::Down, 0, inline);
    assert_eq!(response.payload, expected);
    if response.end {
        party.note_complete(Direction::Down, inline);
    } else {
        party.take(Direction::Down, inline, chunks_max).await;
    }
}

async fn handle(party: Rc<Party>, script: Script, complete: bool, spawner: Spawner) {
    let inline = script.request.inline;
    match script.handler {
        Handler::Both => {
            let answer = respond(party.clone(), script.response);
            spawner.spawn(answer);
            if !complete {
                party.take(Direction::Up, inline, usize::MAX).await;
            }
        }
        Handler::InTurn => {
            if !complete {
                party.take(Direction::Up, inline, usize::MAX).await;
            }
            respond(party, script.response).await;
        }
        Handler::Deaf => respond(party, script.response).await,
        Handler::Resets { chunks } => {
            if !complete {
                party.take(Direction::Up, inline, chunks).await;
            }
            let (end, stream) = (&party.end, party.stream);
            end.mux
                .with(|mux| mux.reset(stream, ResetCode::Internal, ""));
        }
        Handler::Silent => {
            let (end, stream) = (&party.end, party.stream);
            poll_fn(|context| end.mux.with(|mux| mux.poll_cancelled(stream, context))).await;
        }
    }
}

async fn respond(party: Rc<Party>, body: Body) {
    let inline = content(party.exchange, Direction::Down, 0, body.inline);
    let end = body.is_inline();
    let responded = poll_fn(|context| {
        party.end.mux.with(|mux| {
            mux.poll_respond(party.stream, context, end, |buffer| {
                buffer.put_slice(&inline)
            })
        })
    });
    if responded.await.is_ok() && !end {
        party
            .send(Direction::Down, body.inline, &body.chunks, true)
            .await;
    }
}

fn converse(scripts: Vec<Script>, seed: u64) {
    let draw = Draw::new(seed);
    let mux = |role| Shared::new(Mux::new(role, LIMITS).unwrap());
    let muxes = [mux(Role::Controller), mux(Role::Worker)];
    let mut executor = Executor::default();
    let scene = Scene {
        scripts: Rc::new(scripts),
        ledger: Rc::default(),
        spawner: executor.spawner.clone(),
        ends: connect(muxes.clone(), LIMITS, &draw),
    };
    let [controller, worker] = scene.ends.clone();
    executor.spawner.spawn(controller.clone().write());
    executor.spawner.spawn(worker.clone().write());
    executor
        .spawner
        .spawn(controller.read(|event| panic!("{event:?}")));
    let handler = scene.clone();
    executor
        .spawner
        .spawn(worker.read(move |event| handler.handle(event)));
    for exchange in 0..scene.scripts.len() {
        let exchange = u8::try_from(exchange).unwrap();
        executor.spawner.spawn(scene.clone().call(exchange));
    }
    executor.run(&draw);
    check(&scene);
    muxes.iter().for_each(|mux| mux.with(Mux::finish));
    executor.run(&draw);
    for mux in muxes {
        mux.with(|mux| assert_eq!(mux.queued_bytes(), 0));
    }
}

fn check(scene: &Scene) {
    let ledger = scene.ledger.borrow();
    assert_eq!(ledger.running, 0, "somebody waits for ever");
    for (script, exchange) in scene.scripts.iter().zip(0..) {
        let complete = |direction| ledger.complete.get(&(exchange, direction)).copied();
        let bodies = [
            (Direction::Up, &script.request, script.request_must_arrive()),
            (
                Direction::Down,
                &script.response,
                script.response_must_arrive(),
            ),
        ];
        for (direction, body, must_arrive) in bodies {
            let arrived = complete(direction);
            assert!(
                arrived.is_some() || !must_arrive,
                "{direction:?} {script:?}"
            );
            assert!(arrived.is_none_or(|bytes| bytes == body.bytes()));
        }
    }
    scene.ends[0].mux.with(|controller| {
        scene.ends[1].mux.with(|worker| {
            for mux in [&*controller, &*worker] {
                assert!(!mux.has_overflowed());
                assert_eq!((mux.exchanges(), mux.tunnels()), (0, 0));
                assert_eq!(mux.queued_bytes(), 0);
            }
            assert_credit_is_whole(controller, worker);
            assert_credit_is_whole(worker, controller);
        });
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_body_arrives_in_order_and_once_and_nothing_is_left(
        scripts in vec(script(), 1..24),
        seed in any::<u64>(),
    ) {
        converse(scripts, seed);
    }
}
