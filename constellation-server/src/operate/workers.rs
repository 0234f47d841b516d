//! `workers`, `cordon` and `uncordon`.

use std::io::Write;

use constellation_actors::placement::worker::WorkerId;

use super::{
    Error, Session,
    client::Reply,
    names::Names,
    pick::pick,
    table::table,
    words::{count, duration, printable},
};
use crate::admin::worker::{Worker, WorkerList};

impl<W: Write> Session<'_, W> {
    pub(super) async fn workers(&mut self) -> Result<(), Error> {
        let reply = self.client.get("/v1/workers").await?;
        let WorkerList { workers } = reply.read()?;
        self.tell(&reply.json, || shown(&workers))
    }

    pub(super) async fn cordon(&mut self, text: &str) -> Result<(), Error> {
        let (worker, name) = self.pick(text).await?;
        let reply = self.order(worker, "cordon").await?;
        let state: Option<Worker> = reply.read()?;
        self.tell(&reply.json, || {
            let keys = state.map_or(0, |worker| worker.keys);
            let keys = count(keys, "key");
            format!("{name} gets no new keys; it has {keys}")
        })
    }

    pub(super) async fn uncordon(&mut self, text: &str) -> Result<(), Error> {
        let (worker, name) = self.pick(text).await?;
        let reply = self.order(worker, "uncordon").await?;
        let state: Option<Worker> = reply.read()?;
        self.tell(&reply.json, || match state {
            Some(worker) if worker.cordoned => {
                format!("{name} may get keys again, but asks for none itself: it is stopping")
            }
            Some(_) => format!("{name} gets keys again"),
            None => format!("{name} will get keys again when it connects"),
        })
    }

    /// Everybody who is there.
    pub(super) async fn listed(&self) -> Result<Vec<Worker>, Error> {
        let WorkerList { workers } = self.client.get("/v1/workers").await?.read()?;
        Ok(workers)
    }

    /// The worker that is meant, and what to call it.
    pub(super) async fn pick(&self, text: &str) -> Result<(WorkerId, String), Error> {
        let workers = self.listed().await?;
        let worker = pick(text, &workers)?;
        Ok((worker, Names::new(&workers).brief(worker)))
    }

    pub(super) async fn order(&self, worker: WorkerId, verb: &str) -> Result<Reply, Error> {
        let path = format!("/v1/workers/{worker}/{verb}");
        Ok(self.client.post(&path, &()).await?)
    }
}

fn shown(workers: &[Worker]) -> String {
    if workers.is_empty() {
        return "There are no workers.".into();
    }
    let names = Names::new(workers);
    let rows: Vec<_> = workers.iter().map(|worker| row(worker, &names)).collect();
    let head = [
        "NAME", "ID", "STATE", "KEYS", "TUNNELS", "LEASE", "HEARD", "UP", "ADDRESS",
    ];
    table(head, &rows)
}

fn row(worker: &Worker, names: &Names) -> [String; 9] {
    let keys = match worker.capacity {
        Some(capacity) => format!("{} of {capacity}", worker.keys),
        None => worker.keys.to_string(),
    };
    let lease = if worker.leased {
        duration(worker.lease_left_ms)
    } else {
        "none".into()
    };
    let nothing = || "-".to_owned();
    [
        if worker.name.is_empty() {
            nothing()
        } else {
            printable(&worker.name)
        },
        names.short(worker.id),
        state(worker),
        keys,
        worker.tunnels.to_string(),
        lease,
        duration(worker.last_heard_ms),
        worker.connected_ms.map_or_else(nothing, duration),
        worker.address.clone().unwrap_or_else(nothing),
    ]
}

/// What a worker can be reached for, and whether it gets keys.
fn state(worker: &Worker) -> String {
    let state = worker.state.as_str();
    match worker.draining {
        Some(draining) => {
            let moved = draining.total.saturating_sub(draining.left);
            format!("{state}, drained {moved}/{}", draining.total)
        }
        None if worker.cordoned => format!("{state}, cordoned"),
        None => state.into(),
    }
}
