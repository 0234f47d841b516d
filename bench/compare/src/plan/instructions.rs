//! How many instructions a request takes.

use super::{Notebook, Plan};
use crate::{case::Case, error::Error, figure::Measure, instructions, peer::Peer};

impl Plan {
    pub(super) fn instructions(&self, notebook: &mut Notebook<'_>) -> Result<(), Error> {
        let (case, peer) = (Case::Instructions, Peer::Constellation);
        if !self.takes(peer) {
            return Ok(());
        }
        notebook.say(case, peer);
        let found = instructions::count()?;
        notebook.note(case, peer, Measure::InstructionsPerRequest, found.each);
        notebook.findings.functions = found.functions;
        Ok(())
    }
}
