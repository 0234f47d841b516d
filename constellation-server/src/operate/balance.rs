//! `rebalance`: shows or changes whether keys are moved so that workers have equally many.

use std::io::Write;

use super::{Error, Session};
use crate::{
    admin::balance::{Balance, Mode},
    arguments::operator::RebalanceMode,
};

const PATH: &str = "/v1/rebalance";

impl<W: Write> Session<'_, W> {
    pub(super) async fn rebalance(&mut self, mode: Option<RebalanceMode>) -> Result<(), Error> {
        let mode = mode.map(|mode| match mode {
            RebalanceMode::On => Mode::On,
            RebalanceMode::Off => Mode::Off,
            RebalanceMode::Pause => Mode::Paused,
        });
        let reply = match mode {
            Some(mode) => self.client.put(PATH, &Balance { mode }).await?,
            None => self.client.get(PATH).await?,
        };
        let Balance { mode } = reply.read()?;
        self.tell(&reply.json, || format!("rebalancing is {}", mode.as_str()))
    }
}
