//! What a worker tells those who ask and those who subscribed.

use std::time::Duration;

use actix::Actor;
use constellation_client::{
    ConnectionStatus, ControllerStatus, Drain, OwnedKey, ReleaseReason, Worker, WorkerEvent,
};

use crate::support::{
    Events, behaviour, connected,
    controller::Running,
    gate::gate,
    http::get,
    owned,
    script::{AN_HOUR, Script},
    status, until,
};

#[actix_rt::test]
async fn owned_keys_and_status_follow_what_happens() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let worker = builder.handler(behaviour::function(&gate)).unwrap().start();
    let controller: std::sync::Arc<str> = script.url().into();
    assert_eq!(
        status(&worker).await,
        [ControllerStatus {
            controller: controller.clone(),
            connection: ConnectionStatus::Connecting { trouble: None },
            lease_left: None,
            keys: 0,
        }]
    );
    let mut peer = script.welcome(AN_HOUR).await;
    let b = peer.grant(1, 7, "/b");
    let a = peer.grant(2, 9, "/a");
    peer.request(b, "/b?wait");
    let done = peer.request(a, "/a");
    peer.answer(done).await.unwrap();
    peer.during(keeper.entered("/b")).await;

    let key = |key: &str, epoch, busy| OwnedKey {
        key: constellation_client::ResourceKey::parse(key).unwrap(),
        epoch: constellation_actors::placement::epoch::Epoch::new(epoch),
        controller: controller.clone(),
        busy,
    };
    assert_eq!(
        owned(&worker).await,
        [key("/a", 9, false), key("/b", 7, true)]
    );
    let now = status(&worker).await.remove(0);
    assert_eq!(now.connection, ConnectionStatus::Connected { session: 1 });
    assert_eq!(now.keys, 2);
    let left = now.lease_left.unwrap();
    let held = AN_HOUR.ttl - AN_HOUR.margin;
    assert!(
        left <= held && left > held - Duration::from_secs(60),
        "{left:?}"
    );

    peer.go_away("superseded");
    let again = peer.during(script.accept()).await;
    assert_eq!(again.holding.len(), 2);
    let now = status(&worker).await.remove(0);
    let ConnectionStatus::Connecting {
        trouble: Some(trouble),
    } = now.connection
    else {
        panic!("{now:?}");
    };
    assert!(trouble.contains("superseded"), "{trouble}");
    assert_eq!(now.keys, 2, "keys stay while the lease runs");
}

#[actix_rt::test]
async fn subscribers_hear_of_connections_and_keys_in_order() {
    let controller = Running::start();
    let (gate, _keeper) = gate();
    let builder = Worker::builder().controller(controller.workers_url());
    let worker = builder.handler(behaviour::function(&gate)).unwrap().start();
    let mut events = Events::of(&worker).await;
    let mut deaf = Events::of(&worker).await;
    connected(&worker).await;
    get(controller.clients_port(), "/a").await;
    let epoch = owned(&worker).await[0].epoch;
    worker.send(Drain).await.unwrap();

    let connected = events.next().await;
    let WorkerEvent::Connected {
        controller: url,
        session,
        resumed,
    } = connected
    else {
        panic!("{connected:?}");
    };
    assert_eq!((&*url, resumed), (&*controller.workers_url(), false));
    assert!(session > 0);
    let granted = events.next().await;
    let WorkerEvent::Granted(grant) = granted else {
        panic!("{granted:?}");
    };
    assert_eq!((grant.key().as_str(), grant.epoch()), ("/a", epoch));
    let reason = ReleaseReason::Drained;
    assert_eq!(events.next().await, WorkerEvent::Released { grant, reason });
    let gone = events.next().await;
    assert!(matches!(gone, WorkerEvent::Disconnected { .. }), "{gone:?}");
    assert!(
        matches!(deaf.next().await, WorkerEvent::Connected { .. }),
        "each gets all"
    );
    controller.stop().await;
}

#[actix_rt::test]
async fn a_controller_that_cannot_be_reached_is_told_as_trouble() {
    let port = {
        let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        nobody.local_addr().unwrap().port()
    };
    let (gate, _keeper) = gate();
    let builder = Worker::builder().controller(format!("ws://127.0.0.1:{port}"));
    let worker = builder.handler(behaviour::function(&gate)).unwrap().start();
    let trouble = until("a failure", async || {
        match &status(&worker).await[0].connection {
            ConnectionStatus::Connecting { trouble } => trouble.clone(),
            other => panic!("{other:?}"),
        }
    })
    .await;
    assert!(trouble.contains("refused"), "{trouble}");
}
