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
    Epoch, Grant, Request, Worker, WorkerClient,
    fence::{
        self, Fence,
        sqlite::{Error, SqliteFence},
    },
};
use tempfile::TempDir;

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

/// A part: a worker whose requests are handled by `act`, on a thread that nothing can cancel.
pub(super) fn work(argument: &str, act: fn(&Path, &Grant)) {
    let (url, file) = argument.split_once(' ').unwrap();
    let file = PathBuf::from(file);
    let worker = Worker::builder()
        .controller(url)
        .handler(move |request: Request| {
            let file = file.clone();
            async move {
                let acting = spawn_blocking(move || act(&file, request.grant()));
                acting.await.unwrap();
            }
        })
        .unwrap();
    actix_rt::System::new().block_on(worker.run()).unwrap();
}

/// Halts in the middle of a transaction, with what it has read.
pub(super) fn act_slowly(file: &Path, grant: &Grant) {
    let epoch = grant.epoch();
    let mut owner = SqliteFence::new(connect(file)).enter(epoch).unwrap();
    tell(owner.read(|connection| {
        halt("in a transaction");
        insert(connection, &epoch.to_string())
    }));
    tell(owner.write(|connection| insert(connection, &epoch.to_string())));
    say(&format!("{} refusals", fence::refusals()));
}

/// Halts in the middle of a write, with the lock that keeps later owners out, and looks before it
/// commits whether it is still the owner.
pub(super) fn act_with_the_lock(file: &Path, grant: &Grant) {
    let mut owner = SqliteFence::new(connect(file))
        .enter(grant.epoch())
        .unwrap();
    let outcome = owner.write(|connection| {
        insert(connection, &grant.epoch().to_string())?;
        halt("in a write");
        grant.is_in_force().then_some(()).ok_or(NotMine::Late)
    });
    say(match outcome {
        Ok(()) => "committed",
        Err(NotMine::Late) => "given up",
        Err(NotMine::Fence(error)) => panic!("{error:?}"),
    });
}

/// Why a write was not made.
enum NotMine {
    Late,
    Fence(Error),
}

impl From<Error> for NotMine {
    fn from(error: Error) -> Self {
        Self::Fence(error)
    }
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

/// A database, a controller, and a worker process that is stopped in the middle of a request.
struct Stopped {
    _folder: TempDir,
    file: PathBuf,
    controller: Running,
    early: Companion,
}

impl Stopped {
    /// Stops the worker that plays `part` where it says that it is at `place`, and waits until its
    /// lease is over at the controller.
    async fn start(part: &str, place: &str) -> Self {
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
        let mut early = Companion::start(PARTS, part, argument);
        until("the early worker", async || {
            (controller.controller.workers().await.len() == 1).then_some(())
        })
        .await;
        let asked = actix_rt::spawn(post(controller.clients_port(), "/db", Bytes::new()));
        early.says(place).await;
        early.stop();
        // The early owner may have acted, so nobody else is asked in its place.
        assert_eq!(soon("an answer", asked).await.unwrap().status, 502);
        Self {
            _folder: folder,
            file,
            controller,
            early,
        }
    }

    /// A worker that gets the keys now.
    async fn next_worker(&self) -> actix::Addr<WorkerClient> {
        let file = self.file.clone();
        let late = Worker::builder()
            .controller(self.controller.workers_url())
            .handler(move |request: Request| ready(act(&file, request.epoch()).unwrap()));
        let late = late.unwrap().start();
        connected(&late).await;
        late
    }
}

#[actix_rt::test]
async fn a_worker_stopped_through_its_lease_with_the_lock_gives_up_what_it_wrote() {
    let mut stopped = Stopped::start("worker with the lock", "in a write").await;
    stopped.early.go_on();
    stopped.early.says("given up").await;
    let _late = stopped.next_worker().await;
    let port = stopped.controller.clients_port();
    let answer = post(port, "/db", Bytes::new()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(words(&stopped.file), [answer.text()]);
    stopped.controller.stop().await;
}

#[actix_rt::test]
async fn a_worker_stopped_through_its_lease_in_a_transaction_cannot_commit() {
    let stopped = Stopped::start("worker", "in a transaction").await;
    let _late = stopped.next_worker().await;
    let Stopped {
        _folder,
        file,
        controller,
        mut early,
    } = stopped;
    let port = controller.clients_port();
    let answer = post(port, "/db", Bytes::new()).await;
    assert_eq!(answer.status, 200);

    early.go_on();
    early.says("overtaken").await;
    early.says("refused").await;
    early.says("1 refusals").await;
    assert_eq!(words(&file), [answer.text()]);
    controller.stop().await;
}
