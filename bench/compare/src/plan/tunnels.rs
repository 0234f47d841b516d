//! What an idle websocket costs in memory.

use super::{Notebook, Plan};
use crate::{
    case::Case,
    error::Error,
    figure::Measure,
    peer::{self, Peer},
    usage::memory_kib,
    websockets,
};

impl Plan {
    /// One thread of each proxy; what has no proxy has no memory of one.
    pub(super) fn tunnels(&self, notebook: &mut Notebook<'_>) -> Result<(), Error> {
        let count = self.tunnels;
        let case = Case::Tunnels { count };
        let proxies = Peer::ALL.into_iter().filter(|peer| *peer != Peer::Direct);
        for peer in proxies.filter(|peer| self.takes(*peer)) {
            notebook.say(case, peer);
            let running = peer::start(peer, 1)?;
            let (before, _) = memory_kib(&running.proxy)?;
            let open = websockets::open(running.port, count)?;
            let (after, _) = memory_kib(&running.proxy)?;
            drop(open);
            let each = after.saturating_sub(before) as f64 / count as f64;
            notebook.note(case, peer, Measure::ProxyIdleMib, before as f64 / 1024.0);
            notebook.note(case, peer, Measure::ProxyKibPerTunnel, each);
        }
        Ok(())
    }
}
