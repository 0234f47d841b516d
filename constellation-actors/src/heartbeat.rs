//! The Heartbeat: the actor that turns time into inputs. It decides nothing.

use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Supervised};

use crate::registry::{RegistryAddr, messages::Tick};

/// How often the Registry is told that time has passed: how late a deadline is handled at most.
const PERIOD: Duration = Duration::from_millis(25);

/// Tells the Registry that time has passed.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    registry: RegistryAddr,
}

impl Heartbeat {
    pub(crate) fn new(registry: RegistryAddr) -> Self {
        Self { registry }
    }
}

impl Actor for Heartbeat {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(PERIOD, |heartbeat, _context| {
            // A full mailbox is a busy Registry, which looks at the time with every message.
            let _busy = heartbeat.registry.try_send(Tick);
        });
    }
}

impl Supervised for Heartbeat {}
