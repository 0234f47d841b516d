//! `counters`: how often what happened since the controller started.

use std::io::Write;

use super::{Error, Session, table::table};
use crate::admin::counters::Counters;

impl<W: Write> Session<'_, W> {
    pub(super) async fn counters(&mut self) -> Result<(), Error> {
        let reply = self.client.get("/v1/counters").await?;
        let Counters { counters } = reply.read()?;
        let rows: Vec<_> = counters
            .into_iter()
            .map(|(name, count)| [name, count.to_string()])
            .collect();
        self.tell(&reply.json, || table(["COUNTER", "COUNT"], &rows))
    }
}
