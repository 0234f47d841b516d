//! What a peer has used so far, so that a measurement can take the difference.

use std::time::Duration;

use crate::{
    error::Error,
    peer::Running,
    usage::{cpu_time, memory_kib},
};

/// What a peer has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// The CPU time of the proxy.
    pub(crate) proxy: Duration,
    /// The CPU time of what stands behind it.
    pub(crate) far: Duration,
    /// The most memory that the proxy had.
    pub(crate) peak_mib: f64,
}

impl Used {
    /// What `running` has used.
    ///
    /// # Errors
    ///
    /// When one of its processes has ended.
    pub(crate) fn of(running: &Running) -> Result<Self, Error> {
        let (_, peak) = memory_kib(&running.proxy)?;
        Ok(Self {
            proxy: cpu_time(&running.proxy)?,
            far: cpu_time(&running.far)?,
            peak_mib: peak as f64 / 1024.0,
        })
    }

    /// What of it was used since `before`. The memory is that of the whole time.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            proxy: self.proxy.saturating_sub(before.proxy),
            far: self.far.saturating_sub(before.far),
            peak_mib: self.peak_mib,
        }
    }
}
