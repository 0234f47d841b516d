//! A worker of two controllers.

use actix::Actor;
use constellation_client::{ConnectionStatus, Worker};

use crate::support::{
    behaviour::Counter, connected, controller::Running, gate::gate, http::get, owned, status, until,
};

#[actix_rt::test]
async fn two_controllers_are_served_and_one_outlives_the_other() {
    let (one, other) = (Running::start(), Running::start());
    let (gate, _keeper) = gate();
    let builder = Worker::builder()
        .controller(one.workers_url())
        .controller(other.workers_url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let worker = worker.unwrap().start();
    connected(&worker).await;

    // The same key of both is two keys.
    for (controller, requests) in [(&one, 1), (&other, 1), (&one, 2), (&other, 2)] {
        let answer = get(controller.clients_port(), "/a").await.json();
        assert_eq!(answer["requests"], requests);
        assert_eq!(answer["controller"], controller.workers_url());
    }
    let controllers: Vec<_> = owned(&worker)
        .await
        .into_iter()
        .map(|key| key.controller)
        .collect();
    assert_eq!(controllers.len(), 2);
    for controller in [&one, &other] {
        assert!(
            controllers
                .iter()
                .any(|url| **url == controller.workers_url())
        );
    }

    one.stop().await;
    until("the loss of one controller", async || {
        let connection = status(&worker).await[0].connection.clone();
        matches!(
            connection,
            ConnectionStatus::Connecting { trouble: Some(_) }
        )
        .then_some(())
    })
    .await;
    let answer = get(other.clients_port(), "/a").await.json();
    assert_eq!(answer["requests"], 3);
    // The lease of the one that is gone ends, that of the other does not.
    until("the end of the lease", async || {
        let keys = owned(&worker).await;
        let lost = keys
            .iter()
            .all(|key| *key.controller == other.workers_url());
        (lost && status(&worker).await[0].lease_left.is_none()).then_some(())
    })
    .await;
    let answer = get(other.clients_port(), "/a").await.json();
    assert_eq!(answer["requests"], 4);
    assert!(status(&worker).await[1].lease_left.is_some());
    other.stop().await;
}
