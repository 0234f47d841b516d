//! Being told to end: SIGINT and SIGTERM, or Ctrl+C where there are no signals.

use std::io;

/// Hears the process being told to end.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: actix_rt::signal::unix::Signal,
    #[cfg(unix)]
    terminate: actix_rt::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// When the system does not let it.
    pub(crate) fn listen() -> io::Result<Self> {
        use actix_rt::signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits until the process is told to end, once more.
    pub(crate) async fn next(&mut self) {
        let interrupt = std::pin::pin!(self.interrupt.recv());
        let terminate = std::pin::pin!(self.terminate.recv());
        futures::future::select(interrupt, terminate).await;
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Listens from the first [`next`](Self::next) on.
    ///
    /// # Errors
    ///
    /// Never here.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits until the process is told to end, once more.
    pub(crate) async fn next(&mut self) {
        if actix_rt::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
