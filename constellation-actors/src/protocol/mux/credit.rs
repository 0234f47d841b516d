//! Counting content bytes: what may still be sent, and what the peer may still send. The same
//! for an exchange and for the session. Never counts heads or what rides behind them.

use super::limits::CREDIT_BYTES_MAX;

/// What this side may still send.
#[derive(Debug)]
pub(super) struct SendCredit(u32);

impl SendCredit {
    pub(super) const fn new(bytes: u32) -> Self {
        Self(bytes)
    }

    pub(super) const fn available(&self) -> u32 {
        self.0
    }

    /// Adds what the peer gave; `None` when that is more than can be counted.
    pub(super) fn grow(&mut self, increment: u32) -> Option<()> {
        let grown = self
            .0
            .checked_add(increment)
            .filter(|bytes| *bytes <= CREDIT_BYTES_MAX)?;
        self.0 = grown;
        Some(())
    }

    pub(super) fn spend(&mut self, bytes: u32) {
        self.0 = self
            .0
            .checked_sub(bytes)
            .expect("content is cut to the credit");
    }
}

/// What the peer may still send, and what was taken by a reader but not given back yet.
///
/// `allowance + taken + what lies unread` is the window at all times.
#[derive(Debug)]
pub(super) struct ReceiveCredit {
    window: u32,
    allowance: u32,
    taken: u32,
}

impl ReceiveCredit {
    pub(super) const fn new(window: u32) -> Self {
        Self {
            window,
            allowance: window,
            taken: 0,
        }
    }

    /// Counts content that came in.
    ///
    /// # Errors
    ///
    /// By how much it exceeds what the peer may send.
    pub(super) fn receive(&mut self, bytes: u32) -> Result<(), u32> {
        match self.allowance.checked_sub(bytes) {
            Some(rest) => {
                self.allowance = rest;
                Ok(())
            }
            None => Err(bytes - self.allowance),
        }
    }

    /// Counts content that a reader took, or that nobody will read.
    pub(super) fn take(&mut self, bytes: u32) {
        self.taken += bytes;
    }

    /// What to give back to an exchange now, if anything: once half a window was taken.
    pub(super) fn due(&mut self) -> Option<u32> {
        self.give_back(self.window / 2)
    }

    /// What to give back to the session now, if anything.
    ///
    /// Not only once half a window was taken: if slow readers hold more than the other half, it
    /// never would be, and the exchanges between would stand still for want of credit that lies
    /// here. So it is also due once it is as much as the peer has left, and at least `step`.
    pub(super) fn due_in_steps(&mut self, step: u32) -> Option<u32> {
        self.give_back((self.window / 2).min(self.allowance.max(step)))
    }

    /// What was taken and is still to be given back.
    #[cfg(test)]
    pub(super) fn to_give_back(&self) -> u32 {
        self.taken
    }

    fn give_back(&mut self, from: u32) -> Option<u32> {
        if self.taken == 0 || self.taken < from {
            return None;
        }
        self.allowance += self.taken;
        Some(std::mem::take(&mut self.taken))
    }
}
