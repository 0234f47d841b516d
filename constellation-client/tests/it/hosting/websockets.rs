//! Websockets of a hosted App, of both kinds: those of actix-ws, and actors of actix-web-actors. Both
//! are spoken to by the same clients, which cannot tell them apart.

use std::{process::Command, time::Duration};

use actix_web::{App, web};
use awc::ws::{CloseCode, Frame, Message};
use constellation_client::{Drain, Drained, WorkerBuilder};
use futures::{SinkExt, StreamExt};

use self::sockets::{Sockets, configure};
use super::{builder, client, get, start};
use crate::support::{
    controller::Running,
    gate::{Gate, gate},
    soon,
};

mod sockets;

/// Where each kind is.
const KINDS: [&str; 2] = ["/stream", "/actor"];

/// A client's end.
type Socket = actix_codec::Framed<awc::BoxedSocket, awc::ws::Codec>;

fn sockets(builder: WorkerBuilder, gate: &Gate) -> constellation_client::WorkerClient {
    let gate = gate.clone();
    let worker = builder.hosting(move || {
        let sockets = web::Data::new(Sockets::new(&gate));
        App::new().app_data(sockets).configure(configure)
    });
    worker.unwrap()
}

async fn connect(controller: &Running, path: &str) -> Socket {
    let url = format!("ws://127.0.0.1:{}{path}", controller.clients_port());
    let client = awc::Client::builder()
        .max_http_version(awc::http::Version::HTTP_11)
        .finish();
    let connecting = async { client.ws(url).connect().await };
    let (response, socket) = soon("an upgrade", connecting).await.unwrap();
    assert_eq!(response.status(), 101);
    assert!(response.headers().contains_key("x-worker"));
    socket
}

#[track_caller]
fn next(socket: &mut Socket) -> impl Future<Output = Option<Frame>> {
    let next = soon("a frame", socket.next());
    async { next.await.transpose().unwrap() }
}

#[actix_rt::test]
async fn messages_pings_and_closes_pass_both_ways() {
    let controller = Running::start();
    let (gate, _keeper) = gate();
    let _worker = start(sockets(builder(&controller), &gate)).await;
    for path in KINDS {
        let mut socket = connect(&controller, path).await;
        socket.send(Message::Text("hello".into())).await.unwrap();
        assert_eq!(
            next(&mut socket).await,
            Some(Frame::Text("hello".into())),
            "{path}"
        );
        let bytes: bytes::Bytes = (0..=255).cycle().take(60_000).collect();
        socket.send(Message::Binary(bytes.clone())).await.unwrap();
        assert_eq!(
            next(&mut socket).await,
            Some(Frame::Binary(bytes)),
            "{path}"
        );
        socket
            .send(Message::Ping("still there".into()))
            .await
            .unwrap();
        assert_eq!(
            next(&mut socket).await,
            Some(Frame::Pong("still there".into())),
            "{path}"
        );

        let reason = awc::ws::CloseReason {
            code: CloseCode::Other(4001),
            description: Some("had enough".into()),
        };
        socket
            .send(Message::Close(Some(reason.clone())))
            .await
            .unwrap();
        assert_eq!(
            next(&mut socket).await,
            Some(Frame::Close(Some(reason))),
            "{path}"
        );
        assert_eq!(next(&mut socket).await, None, "{path}: the connection ends");
    }
    controller.stop().await;
}

#[actix_rt::test]
async fn a_socket_knows_its_grant_and_shares_its_keys_thread_with_requests() {
    let controller = Running::start();
    let (gate, _keeper) = gate();
    let _worker = start(sockets(builder(&controller).threads(3), &gate)).await;
    for path in KINDS {
        let mut socket = connect(&controller, path).await;
        socket.send(Message::Text("who?".into())).await.unwrap();
        let told = match next(&mut socket).await {
            Some(Frame::Text(told)) => String::from_utf8(told.to_vec()).unwrap(),
            frame => panic!("{path}: {frame:?}"),
        };
        let plain = get(&controller, path).await;
        assert_eq!((plain.status, plain.text()), (200, told.as_str()));
        assert!(told.contains(&format!("key {path}")), "{told}");
    }
    controller.stop().await;
}

#[actix_rt::test]
async fn a_client_that_goes_away_ends_its_socket() {
    let controller = Running::start();
    let (gate, mut keeper) = gate();
    let _worker = start(sockets(builder(&controller), &gate)).await;
    for path in KINDS {
        let mut socket = connect(&controller, path).await;
        socket.send(Message::Text("hello".into())).await.unwrap();
        next(&mut socket).await;
        keeper.passed("opened").await;
        drop(socket);
        keeper.passed("ended").await;
    }
    controller.stop().await;
}

#[actix_rt::test]
async fn a_socket_can_say_goodbye_when_its_key_is_given_back() {
    for path in KINDS {
        let controller = Running::start();
        let (gate, mut keeper) = gate();
        let builder = builder(&controller).tunnel_goodbye(Duration::from_secs(10));
        let worker = start(sockets(builder, &gate)).await;
        let mut socket = connect(&controller, path).await;
        keeper.passed("opened").await;

        let drained = actix_rt::spawn(worker.send(Drain));
        assert_eq!(
            next(&mut socket).await,
            Some(Frame::Text("moving".into())),
            "{path}"
        );
        match next(&mut socket).await {
            Some(Frame::Close(Some(reason))) => assert_eq!(reason.code, CloseCode::Restart),
            frame => panic!("{path}: {frame:?}"),
        }
        // The key goes when the socket is over, and not only when its time is.
        keeper.passed("ended").await;
        let drained: Drained = soon("the drain", drained).await.unwrap().unwrap();
        assert_eq!((drained.keys, drained.told), (1, 1), "{path}");
        controller.stop().await;
    }
}

#[actix_rt::test]
async fn the_websockets_package_of_python_finds_nothing_amiss() {
    let controller = Running::start();
    let (gate, _keeper) = gate();
    let _worker = start(sockets(builder(&controller), &gate)).await;
    let python =
        std::env::var("CONSTELLATION_TEST_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".into());
    for path in KINDS {
        let mut command = Command::new(&python);
        command
            .args(["-c", include_str!("websockets/client.py")])
            .arg(format!(
                "ws://127.0.0.1:{}{path}",
                controller.clients_port()
            ));
        let output = client(move || command.output().unwrap()).await;
        let (said, errors) = (
            output.stdout,
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        assert_eq!(
            String::from_utf8(said).unwrap(),
            "all is well\n",
            "{path}: {errors}"
        );
    }
    controller.stop().await;
}
