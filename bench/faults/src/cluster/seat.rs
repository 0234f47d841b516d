//! A worker's place: its way to the controller, and the process that runs there at the time. What
//! every process did and when it was stopped or ended is kept for the checker.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use rustix::process::Signal;
use uuid::Uuid;

use super::proxy::Proxy;
use crate::{
    clock::{Moment, now},
    names::Process,
    process::{ProcessError, Running},
};

/// A worker's place.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Its way to the controller.
    pub(crate) proxy: Proxy,
    id: Uuid,
    folder: PathBuf,
    fenced: bool,
    running: Option<Running>,
    lives: Vec<Life>,
}

/// One process of a worker.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    /// Its number in the run.
    pub(crate) process: Process,
    /// Its journal.
    pub(crate) journal: PathBuf,
    /// When it was stopped, and when it was let go on.
    pub(crate) stops: Vec<(Moment, Moment)>,
    /// Until when it could do something.
    pub(crate) ended: Moment,
}

impl Seat {
    pub(super) fn new(proxy: Proxy, folder: PathBuf, fenced: bool) -> Self {
        Self {
            proxy,
            id: Uuid::new_v4(),
            folder,
            fenced,
            running: None,
            lives: Vec::new(),
        }
    }

    /// The id of the worker that is here.
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// Every process that was here.
    pub(crate) fn lives(&self) -> &[Life] {
        &self.lives
    }

    /// The process that is here, or was last.
    pub(crate) fn life(&self) -> Option<&Life> {
        self.lives.last()
    }

    /// The next process here is another worker.
    pub(crate) fn change_worker(&mut self) {
        self.id = Uuid::new_v4();
    }

    /// Starts a process, with the number `process`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) fn start(&mut self, process: Process) -> Result<(), ProcessError> {
        let journal = self.folder.join(format!("journal-{process}"));
        let url = format!("ws://127.0.0.1:{}", self.proxy.port());
        let mut arguments: Vec<OsString> = vec![
            "worker".into(),
            "--url".into(),
            url.into(),
            "--id".into(),
            self.id.to_string().into(),
            "--folder".into(),
            self.folder.clone().into(),
            "--journal".into(),
            journal.clone().into(),
        ];
        if !self.fenced {
            arguments.push("--without-fence".into());
        }
        let this = std::env::current_exe().map_err(ProcessError::at("finding this program"))?;
        let log = format!("worker-{process}.log");
        self.running = Some(Running::start(&this, arguments, &self.folder, &log)?);
        self.lives.push(Life {
            process,
            journal,
            stops: Vec::new(),
            ended: Moment::NEVER,
        });
        Ok(())
    }

    /// Waits until the controller has welcomed the process.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub(crate) async fn is_welcome(&self) -> Result<(), ProcessError> {
        match &self.running {
            Some(running) => running.says("connected controller").await,
            None => Ok(()),
        }
    }

    /// Kills the process.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub(crate) async fn kill(&mut self) -> Result<(), ProcessError> {
        if let Some(mut running) = self.running.take() {
            let killed = running.kill().await?;
            self.set_ended(killed);
        }
        Ok(())
    }

    /// Tells the process to end, and waits until it has given everything back.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub(crate) async fn end(&mut self) -> Result<(), ProcessError> {
        if let Some(mut running) = self.running.take() {
            running.signal(Signal::TERM);
            running.ended().await?;
            self.set_ended(now());
        }
        Ok(())
    }

    /// Stops the process for so long, and lets it go on.
    pub(crate) async fn pause(&mut self, duration: Duration) {
        self.stop();
        tokio::time::sleep(duration).await;
        self.go_on();
    }

    /// Stops the process.
    pub(crate) fn stop(&mut self) {
        if let (Some(running), Some(life)) = (&self.running, self.lives.last_mut()) {
            life.stops.push((now(), Moment::NEVER));
            running.signal(Signal::STOP);
        }
    }

    /// Lets the process go on.
    pub(crate) fn go_on(&mut self) {
        if let (Some(running), Some(life)) = (&self.running, self.lives.last_mut()) {
            running.signal(Signal::CONT);
            if let Some((_, until)) = life.stops.last_mut() {
                *until = now();
            }
        }
    }

    fn set_ended(&mut self, ended: Moment) {
        if let Some(life) = self.lives.last_mut() {
            life.ended = ended;
        }
    }
}
