//! Does faults to a cluster, and says when and to what. It judges nothing, and leaves everything
//! running and healed.

use std::{fs, path::Path, rc::Rc, time::Duration};

use tokio::time::sleep;

use crate::{
    clock::{Moment, now},
    cluster::{
        Cluster,
        proxy::Flow::{Delayed, Open, Stalled, Swallowed},
        seat::Seat,
    },
    fault::{Fault, Kind},
    history::{Answer, History, OperationKind},
    load::Client,
    names::{Key, Process, RequestId},
    process::ProcessError,
};

/// How long a request stays where it is to be stopped: within the least margin of a lease.
const REST_MS: u64 = 150;

/// How long to wait for a request to get there.
const ARRIVAL: Duration = Duration::from_secs(3);

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(5);

/// A fault that was done.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    /// What.
    pub(crate) kind: Kind,
    /// From when.
    pub(crate) from: Moment,
    /// Until when: then everything was as before, but for what the fault made of it.
    pub(crate) to: Moment,
    /// What it was done to.
    pub(crate) target: Target,
    /// Whether it hit what it was to hit.
    pub(crate) hit: bool,
}

/// What a fault was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A worker's process.
    Process(Process),
    /// One key.
    Key(Key),
    /// The controller, or every worker.
    All,
}

/// Does faults.
#[derive(Debug)]
pub(crate) struct Injector {
    cluster: Rc<Cluster>,
    history: Rc<History>,
}

/// Whether a fault is over before a lease can be, or not before.
#[derive(Clone, Copy)]
enum Length {
    Short,
    Long,
}

impl Injector {
    pub(crate) fn new(cluster: Rc<Cluster>, history: Rc<History>) -> Self {
        Self { cluster, history }
    }

    /// Does a fault.
    ///
    /// # Errors
    ///
    /// When a part of the cluster does not come back.
    pub(crate) async fn inject(&self, fault: &Fault) -> Result<Applied, ProcessError> {
        let from = now();
        let mut applied = Applied {
            kind: fault.kind,
            from,
            to: from,
            target: Target::All,
            hit: true,
        };
        match fault.kind {
            Kind::ControllerKill | Kind::ControllerEnd => {
                self.restart_controller(fault, &mut applied).await?;
            }
            Kind::RollingDrain => self.drain_all().await?,
            Kind::PauseBeforeWrite | Kind::PauseInsideWrite => {
                self.pause_in_request(fault, &mut applied).await?;
            }
            Kind::Move => {
                applied.target = Target::Key(fault.key);
                applied.hit = self.move_key(fault.key, fault.seat).await;
            }
            Kind::Kill
            | Kind::Replace
            | Kind::PauseShort
            | Kind::PauseLong
            | Kind::CutShort
            | Kind::CutLong
            | Kind::CutUpShort
            | Kind::CutUpLong
            | Kind::CutDownShort
            | Kind::CutDownLong
            | Kind::Close
            | Kind::Delay => {
                let mut seat = self.cluster.seat(fault.seat).await;
                applied.from = now();
                applied.target = target(&seat);
                self.break_seat(&mut seat, fault).await?;
            }
        }
        applied.to = now();
        Ok(applied)
    }

    async fn break_seat(&self, seat: &mut Seat, fault: &Fault) -> Result<(), ProcessError> {
        let time = self.duration(fault);
        match fault.kind {
            Kind::Kill | Kind::Replace => {
                seat.kill().await?;
                if fault.kind == Kind::Replace {
                    seat.change_worker();
                }
                sleep(time).await;
                seat.start(self.cluster.next_process())?;
                return seat.is_welcome().await;
            }
            Kind::PauseShort | Kind::PauseLong => {
                seat.pause(time).await;
                return Ok(());
            }
            Kind::Close => seat.proxy.close_all(),
            Kind::Delay => seat.proxy.set(Delayed(time / 20), Delayed(time / 20)),
            Kind::CutShort => seat.proxy.set(Stalled, Stalled),
            Kind::CutLong => seat.proxy.set(Swallowed, Swallowed),
            Kind::CutUpShort => seat.proxy.set(Stalled, Open),
            Kind::CutUpLong => seat.proxy.set(Swallowed, Open),
            Kind::CutDownShort => seat.proxy.set(Open, Stalled),
            Kind::CutDownLong => seat.proxy.set(Open, Swallowed),
            Kind::PauseBeforeWrite
            | Kind::PauseInsideWrite
            | Kind::ControllerKill
            | Kind::ControllerEnd
            | Kind::RollingDrain
            | Kind::Move => return Ok(()),
        }
        sleep(time).await;
        seat.proxy.set(Open, Open);
        Ok(())
    }

    async fn restart_controller(
        &self,
        fault: &Fault,
        applied: &mut Applied,
    ) -> Result<(), ProcessError> {
        let mut controller = self.cluster.controller().await;
        applied.from = now();
        if fault.kind == Kind::ControllerKill {
            controller.kill().await?;
        } else {
            controller.end().await?;
        }
        sleep(self.duration(fault)).await;
        controller.start_again().await
    }

    /// Every worker in turn is told to end, and started again.
    ///
    /// # Errors
    ///
    /// When one of them does not end or come back.
    pub(crate) async fn drain_all(&self) -> Result<(), ProcessError> {
        for index in 0..self.cluster.seats() {
            let mut seat = self.cluster.seat(index).await;
            seat.end().await?;
            seat.start(self.cluster.next_process())?;
            seat.is_welcome().await?;
        }
        Ok(())
    }

    /// Hands a key over by plan, and waits until the worker of `seat` answers for it. Whether it does
    /// so in time, and did not before.
    pub(crate) async fn move_key(&self, key: Key, seat: usize) -> bool {
        let mut client = self.client();
        let worker = self.cluster.seat(seat).await.id();
        let id = worker.to_string();
        client.ask(OperationKind::Read, key, "").await;
        if client.worker() == Some(&id) {
            return false;
        }
        let ordered = self.cluster.order_move(key, worker).await;
        if !ordered.is_some_and(|status| (200..300).contains(&status)) {
            log::warn!(ordered:?; "a move was refused");
            return false;
        }
        let patience = now().after(self.cluster.setup.ttl() * 2);
        while now() < patience {
            client.ask(OperationKind::Read, key, "").await;
            if client.worker() == Some(&id) {
                return true;
            }
            sleep(INTERVAL).await;
        }
        false
    }

    /// Stops the owner of a key in the middle of a write until another owner has written, or, when
    /// the stopped one has the database locked, until its lease is long over.
    async fn pause_in_request(
        &self,
        fault: &Fault,
        applied: &mut Applied,
    ) -> Result<(), ProcessError> {
        let mut client = self.client();
        let first = client.ask(OperationKind::Write, fault.key, "").await;
        let Some(index) = self.seat_of(client.worker()).await else {
            applied.hit = false;
            return Ok(());
        };
        let mut seat = self.cluster.seat(index).await;
        applied.from = now();
        applied.target = target(&seat);
        let inside = fault.kind == Kind::PauseInsideWrite;
        let where_to = if inside { "inside" } else { "before" };
        let id = self.history.next_id();
        let mut stuck = self.client();
        let key = fault.key;
        let stuck = tokio::task::spawn_local(async move {
            let rest = format!("&{where_to}-ms={REST_MS}");
            stuck.ask_as(id, OperationKind::Write, key, &rest).await
        });
        applied.hit = arrives(&seat, id).await;
        seat.stop();
        sleep(self.duration(fault)).await;
        if !inside {
            self.wait_for_later_owner(&mut client, key, &first).await;
        }
        seat.go_on();
        drop(seat);
        // Its answer is in the history.
        let _answer = stuck.await;
        Ok(())
    }

    async fn wait_for_later_owner(&self, client: &mut Client, key: Key, first: &Answer) {
        let Answer::Done { epoch: before, .. } = first else {
            return;
        };
        let patience = now().after(self.cluster.setup.ttl() * 5);
        while now() < patience {
            let answer = client.ask(OperationKind::Write, key, "").await;
            if matches!(&answer, Answer::Done { epoch, .. } if epoch > before) {
                return;
            }
            sleep(INTERVAL).await;
        }
    }

    /// The seat of a worker, by its id.
    pub(crate) async fn seat_of(&self, worker: Option<&str>) -> Option<usize> {
        let worker = worker?;
        for index in 0..self.cluster.seats() {
            if self.cluster.seat(index).await.id().to_string() == worker {
                return Some(index);
            }
        }
        None
    }

    /// A client whose requests are checked like any other's.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.cluster.port(), Rc::clone(&self.history))
    }

    fn duration(&self, fault: &Fault) -> Duration {
        let setup = &self.cluster.setup;
        match length(fault.kind) {
            Length::Short => {
                // A renewal may be as old as the interval when the fault begins.
                let left = setup
                    .ttl()
                    .saturating_sub(setup.margin() + setup.interval());
                left.mul_f64(0.2 + 0.6 * fault.share)
            }
            Length::Long => setup.ttl().mul_f64(1.1 + 0.5 * fault.share) + setup.margin(),
        }
    }
}

fn length(kind: Kind) -> Length {
    match kind {
        Kind::PauseLong
        | Kind::PauseBeforeWrite
        | Kind::PauseInsideWrite
        | Kind::CutLong
        | Kind::CutUpLong
        | Kind::CutDownLong => Length::Long,
        Kind::Kill
        | Kind::Replace
        | Kind::PauseShort
        | Kind::ControllerKill
        | Kind::ControllerEnd
        | Kind::CutShort
        | Kind::CutUpShort
        | Kind::CutDownShort
        | Kind::Close
        | Kind::Delay
        | Kind::RollingDrain
        | Kind::Move => Length::Short,
    }
}

/// The process that is in a seat.
pub(crate) fn target(seat: &Seat) -> Target {
    seat.life()
        .map_or(Target::All, |life| Target::Process(life.process))
}

/// Waits until the process in `seat` has begun a request; whether it did in time.
async fn arrives(seat: &Seat, id: RequestId) -> bool {
    let Some(life) = seat.life() else {
        return false;
    };
    let patience = now().after(ARRIVAL);
    let end = format!(" {id}");
    while now() < patience {
        if tail(&life.journal)
            .lines()
            .any(|line| line.starts_with("start") && line.ends_with(&end))
        {
            return true;
        }
        sleep(INTERVAL).await;
    }
    false
}

/// The last part of a file: a request that has just begun is in it.
fn tail(path: &Path) -> String {
    use std::io::{Read, Seek, SeekFrom};

    const BYTES: u64 = 16 * 1024;
    let read = || {
        let mut file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        std::io::Result::Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}
