//! Websockets to the owner of a key, as handlers see them.

use std::time::Duration;

use actix::{Actor, Addr, Context, Handler};
use bytes::Bytes;
use constellation_actors::{placement::grant::GrantId, protocol::frame::code::ResetCode};
use constellation_client::{
    BodyError, Closing, HandlerError, ManualClock, Request, Response, Stop, Worker, WorkerBuilder,
    WorkerClient, websocket,
};
use futures::{FutureExt, StreamExt, stream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::{
    script::{AN_HOUR, Peer, Said, Script},
    soon,
};

mod deflate;

/// How long a tunnel may say goodbye in these tests.
const GOODBYE: Duration = Duration::from_millis(200);

/// Tells a test when it is dropped.
struct Watch(UnboundedSender<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        let _test_is_over = self.0.send(());
    }
}

/// Sends back what comes, and a word when its key is given back.
fn mirror(request: Request, ended: UnboundedSender<()>) -> Response {
    let Some(accepted) = websocket::accept(&request) else {
        return Response::new(426);
    };
    let farewell = request.leaving();
    let farewell = farewell.map(|()| Ok::<_, BodyError>(Bytes::from_static(b"goodbye")));
    let watch = Watch(ended);
    let echo = request.into_body().map(move |chunk| {
        let _until_it_is_dropped = &watch;
        chunk
    });
    // The first to end ends the tunnel.
    let both = stream::select(
        echo.map(Some).chain(stream::once(async { None })),
        farewell.into_stream().map(Some),
    );
    accepted.stream(
        both.take_while(|part| std::future::ready(part.is_some()))
            .filter_map(std::future::ready),
    )
}

/// A worker that mirrors, by a clock under the test's control, and its controller.
struct Scene {
    clock: ManualClock,
    worker: Addr<WorkerClient>,
    peer: Peer,
    ended: UnboundedReceiver<()>,
}

impl Scene {
    async fn start() -> Self {
        Self::start_with(|builder, ended| {
            builder.handler(move |request| {
                let answer = mirror(request, ended.clone());
                async { answer }
            })
        })
        .await
    }

    async fn start_with(
        make: impl FnOnce(
            WorkerBuilder,
            UnboundedSender<()>,
        ) -> Result<WorkerClient, constellation_client::BuildError>,
    ) -> Self {
        let script = Script::start().await;
        let clock = ManualClock::new();
        let (sender, ended) = unbounded_channel();
        let builder = Worker::builder()
            .controller(script.url())
            .tunnel_goodbye(GOODBYE)
            .clock(clock.clock());
        let worker = make(builder, sender).unwrap().start();
        let peer = script.welcome(AN_HOUR).await;
        Self {
            clock,
            worker,
            peer,
            ended,
        }
    }

    /// Opens a tunnel and sees something come back.
    async fn open(&mut self, grant: GrantId) -> constellation_actors::protocol::frame::StreamId {
        let tunnel = self.peer.upgrade(grant, "/a");
        assert_eq!(self.peer.head(tunnel).await.unwrap().0, 101);
        assert_eq!(self.peer.said().await, Said::Response(tunnel));
        self.peer.send(tunnel, b"hello").await;
        assert_eq!(self.peer.chunk(tunnel).await.unwrap().unwrap(), "hello");
        tunnel
    }

    /// Waits until the stream of a tunnel was dropped.
    async fn ended(&mut self) {
        let ended = soon("the end of a tunnel", self.ended.recv());
        self.peer.during(ended).await.unwrap();
    }
}

#[actix_rt::test]
async fn a_tunnel_that_its_key_leaves_says_goodbye_and_ends_before_the_key_goes() {
    let mut scene = Scene::start().await;
    let grant = scene.peer.grant(1, 5, "/a");
    let tunnel = scene.open(grant).await;
    scene.peer.take_back(5, "/a");
    assert_eq!(scene.peer.chunk(tunnel).await.unwrap().unwrap(), "goodbye");
    scene.peer.send(tunnel, b"until then").await;
    assert_eq!(
        scene.peer.chunk(tunnel).await.unwrap().unwrap(),
        "until then"
    );
    scene.clock.advance(GOODBYE);
    scene.ended().await;
    assert_eq!(
        scene.peer.said().await,
        Said::Reset(tunnel, ResetCode::Moved)
    );
    assert_eq!(scene.peer.said().await, Said::Released("/a".into(), 5));
}

#[actix_rt::test]
async fn what_a_tunnel_said_last_is_sent_before_it_ends_but_not_waited_for_for_ever() {
    let mut scene = Scene::start().await;
    let grant = scene.peer.grant(1, 5, "/a");
    let tunnel = scene.open(grant).await;
    // More than its credit, of which the controller gives none back.
    static MUCH: [u8; 100_000] = [7; 100_000];
    for _ in 0..2 {
        scene.peer.send(tunnel, &MUCH).await;
    }
    scene.peer.received(64 * 1024).await;
    scene.peer.take_back(5, "/a");
    let other = scene.peer.grant(2, 6, "/b");
    let other = scene.peer.request(other, "/b");
    assert_eq!(scene.peer.answer(other).await.unwrap().status, 426);
    assert_eq!(scene.peer.said().await, Said::Response(other));
    scene.clock.advance(GOODBYE);
    scene.ended().await;
    scene.clock.advance(GOODBYE);
    assert_eq!(
        scene.peer.said().await,
        Said::Reset(tunnel, ResetCode::Moved)
    );
    assert_eq!(scene.peer.said().await, Said::Released("/a".into(), 5));
}

#[actix_rt::test]
async fn a_tunnel_has_no_time_when_the_key_is_another_workers_already() {
    let mut scene = Scene::start().await;
    let grant = scene.peer.grant(1, 5, "/a");
    let tunnel = scene.open(grant).await;
    scene.peer.grant(1, 7, "/a");
    assert_eq!(
        scene.peer.said().await,
        Said::Reset(tunnel, ResetCode::Moved)
    );
    scene.ended().await;
}

#[actix_rt::test]
async fn a_stop_ends_tunnels_at_once() {
    let mut scene = Scene::start().await;
    let grant = scene.peer.grant(1, 5, "/a");
    let tunnel = scene.open(grant).await;
    let stopped = actix_rt::spawn(scene.worker.send(Stop));
    assert_eq!(scene.peer.said().await, Said::Goaway("draining".into()));
    assert_eq!(
        scene.peer.said().await,
        Said::Reset(tunnel, ResetCode::Moved)
    );
    assert_eq!(scene.peer.said().await, Said::Released("/a".into(), 5));
    scene.peer.during(stopped).await.unwrap().unwrap();
}

#[actix_rt::test]
async fn a_client_that_goes_away_ends_the_stream_of_its_tunnel() {
    let mut scene = Scene::start().await;
    let grant = scene.peer.grant(1, 5, "/a");
    let tunnel = scene.open(grant).await;
    scene.peer.cancel(tunnel);
    scene.ended().await;

    let tunnel = scene.open(grant).await;
    scene
        .peer
        .send_all(tunnel, &mut Bytes::from_static(b"last words"))
        .await;
    assert_eq!(
        scene.peer.chunk(tunnel).await.unwrap().unwrap(),
        "last words"
    );
    assert!(scene.peer.chunk(tunnel).await.is_none());
    scene.ended().await;
}

#[actix_rt::test]
async fn only_an_upgrade_is_accepted() {
    let mut scene = Scene::start_with(|builder, _| {
        builder.handler(async |request: Request| {
            assert!(!request.is_upgrade());
            Response::new(101).stream(request.into_body())
        })
    })
    .await;
    let grant = scene.peer.grant(1, 5, "/a");
    let fields = [("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")];
    let stream = scene.peer.open(grant, "/a", true, &fields);
    assert_eq!(scene.peer.answer(stream).await.unwrap().status, 500);
}

/// Accepts every websocket of its key, and counts them.
struct Doorman {
    opened: u64,
    ended: UnboundedSender<()>,
}

impl Actor for Doorman {
    type Context = Context<Self>;
}

impl Handler<Request> for Doorman {
    type Result = Result<Response, HandlerError>;

    fn handle(&mut self, request: Request, _: &mut Self::Context) -> Self::Result {
        if request.is_upgrade() {
            self.opened += 1;
            return Ok(mirror(request, self.ended.clone()));
        }
        Ok(Response::ok().json(&self.opened))
    }
}

impl Handler<Closing> for Doorman {
    type Result = ();

    fn handle(&mut self, _: Closing, _: &mut Self::Context) {}
}

#[actix_rt::test]
async fn open_tunnels_do_not_hold_up_the_other_requests_of_an_actor() {
    let mut scene = Scene::start_with(|builder, ended| {
        builder.actor(move |_| Doorman {
            opened: 0,
            ended: ended.clone(),
        })
    })
    .await;
    let grant = scene.peer.grant(1, 5, "/a");
    for _ in 0..3 {
        scene.open(grant).await;
    }
    let asked = scene.peer.request(grant, "/a");
    assert_eq!(scene.peer.answer(asked).await.unwrap().text(), "3");
}
