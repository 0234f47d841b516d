//! The whole chain: a worker process that is stopped for longer than its lease, a controller that gives
//! its key to another worker, and a database that both have open.

use std::{
    future::ready,
    path::{Path, PathBuf},
    time::Duration,
};

use actix::Actor;
use actix_rt::task::spawn_blocking;
use bytes::Bytes;
use constellation_client::{
    Epoch, Request, Worker,
    fence::{
        self, Fence,
        sqlite::{Error, SqliteFence},
    },
};

use super::{
    PARTS,
    sqlite::{connect, insert, tell},
};
use crate::support::{
    companion::{Companion, halt, say},
    connected,
    controller::Running,
    http::post,
    soon, until,
};

/// A part: a worker that halts in the middle of a transaction, with what it has read. It shows what code
/// does that nothing can cancel.
pub(super) fn work(argument: &str) {
    let (url, file) = argument.split_once(' ').unwrap();
    let file = PathBuf::from(file);
    let worker = Worker::builder()
        .controller(url)
        .handler(move |request: Request| {
            let file = file.clone();
            async move {
                let acting = spawn_blocking(move || act_slowly(&file, request.epoch()));
                acting.await.unwrap();
            }
        })
        .unwrap();
    actix_rt::System::new().block_on(worker.run()).unwrap();
}

fn act_slowly(file: &Path, epoch: Epoch) {
    let mut owner = SqliteFence::new(connect(file)).enter(epoch).unwrap();
    tell(owner.read(|connection| {
        halt("in a transaction");
        insert(connection, &epoch.to_string())
    }));
    tell(owner.write(|connection| insert(connection, &epoch.to_string())));
    say(&format!("{} refusals", fence::refusals()));
}

/// Writes the epoch, as the next owner.
fn act(file: &Path, epoch: Epoch) -> Result<String, Error> {
    let mut owner = SqliteFence::new(connect(file)).enter(epoch)?;
    owner.write(|connection| insert(connection, &epoch.to_string()))?;
    Ok(epoch.to_string())
}

fn words(file: &Path) -> Vec<String> {
    let connection = connect(file);
    let mut statement = connection.prepare("SELECT word FROM t").unwrap();
    let words = statement.query_map([], |row| row.get(0)).unwrap();
    words.map(Result::unwrap).collect()
}

#[actix_rt::test]
async fn a_worker_stopped_through_its_lease_in_a_transaction_cannot_commit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.db");
    let connection = connect(&file);
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    connection.execute_batch("CREATE TABLE t (word)").unwrap();

    let lease = |builder: constellation_actors::ControllerBuilder| {
        builder.heartbeat(Duration::from_millis(400), 3)
    };
    let controller = Running::start_with(lease);
    let argument = format!("{} {}", controller.workers_url(), file.display());
    let mut early = Companion::start(PARTS, "worker", argument);
    until("the early worker", async || {
        (controller.controller.workers().await.len() == 1).then_some(())
    })
    .await;
    let port = controller.clients_port();
    let asked = actix_rt::spawn(post(port, "/db", Bytes::new()));
    early.says("in a transaction").await;
    early.stop();

    let builder = Worker::builder().controller(controller.workers_url());
    let late = {
        let file = file.clone();
        builder.handler(move |request: Request| ready(act(&file, request.epoch()).unwrap()))
    };
    let late = late.unwrap().start();
    connected(&late).await;
    // The early owner may have acted, so nobody else is asked in its place.
    assert_eq!(soon("an answer", asked).await.unwrap().status, 502);
    let answer = post(port, "/db", Bytes::new()).await;
    assert_eq!(answer.status, 200);

    early.go_on();
    early.says("overtaken").await;
    early.says("refused").await;
    early.says("1 refusals").await;
    assert_eq!(words(&file), [answer.text()]);
    controller.stop().await;
}
