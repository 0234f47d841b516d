//! The credential that a controller asks for.

use actix::Actor;
use constellation_client::{ConnectionStatus, Response, Worker, WorkerBuilder};

use crate::support::{
    connected,
    controller::Running,
    http::get,
    script::{AN_HOUR, Script},
    status, until,
};

fn guarded() -> Running {
    Running::start_with(|builder| builder.worker_tokens(["other", "opensesame"]))
}

#[actix_rt::test]
async fn a_worker_with_the_token_is_let_in() {
    let controller = guarded();
    let builder = Worker::builder()
        .controller(controller.workers_url())
        .token("opensesame");
    let worker = builder.handler(async |_| Response::ok()).unwrap().start();
    connected(&worker).await;
    assert_eq!(get(controller.clients_port(), "/a").await.status, 200);
    controller.stop().await;
}

#[actix_rt::test]
async fn a_worker_without_the_token_is_refused_and_told_what_is_wrong() {
    let controller = guarded();
    let refused = async |builder: WorkerBuilder| {
        let worker = builder.handler(async |_| Response::ok()).unwrap().start();
        until("a refusal", async || {
            match &status(&worker).await[0].connection {
                ConnectionStatus::Connecting { trouble } => trouble.clone(),
                other => panic!("{other:?}"),
            }
        })
        .await
    };
    let builder = || Worker::builder().controller(controller.workers_url());
    for builder in [builder(), builder().token("wrong")] {
        let trouble = refused(builder).await;
        assert!(
            trouble.contains("401") && trouble.contains("token"),
            "{trouble}"
        );
        assert!(!trouble.contains("wrong"), "{trouble}");
    }
    assert_eq!(get(controller.clients_port(), "/a").await.status, 502);
    controller.stop().await;
}

#[actix_rt::test]
async fn the_token_is_sent_as_a_bearer_and_no_token_as_nothing() {
    let script = Script::start().await;
    let builder = || Worker::builder().controller(script.url());
    let worker = builder().token("opensesame");
    let with = worker.handler(async |_| Response::ok()).unwrap().start();
    let peer = script.welcome(AN_HOUR).await;
    assert_eq!(peer.authorization.as_deref(), Some("Bearer opensesame"));
    assert!(with.connected());

    let without = Script::start().await;
    let worker = Worker::builder().controller(without.url());
    let _worker = worker.handler(async |_| Response::ok()).unwrap().start();
    assert_eq!(without.welcome(AN_HOUR).await.authorization, None);
}
