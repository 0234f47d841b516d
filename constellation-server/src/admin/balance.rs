//! Whether keys are moved so that workers have equally many, as JSON.

use constellation_actors::placement::rules::Rebalancing;
use serde::{Deserialize, Serialize};

/// What is asked and answered about rebalancing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Balance {
    /// Whether it is on.
    pub(crate) mode: Mode,
}

/// Whether it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Mode {
    /// Keys stay where they are.
    Off,
    /// Rounds are held.
    On,
    /// As off, for the time being.
    Paused,
}

impl Mode {
    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Paused => "paused",
        }
    }
}

impl From<Rebalancing> for Balance {
    fn from(mode: Rebalancing) -> Self {
        let mode = match mode {
            Rebalancing::Off => Mode::Off,
            Rebalancing::On => Mode::On,
            Rebalancing::Paused => Mode::Paused,
        };
        Self { mode }
    }
}

impl From<Mode> for Rebalancing {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Off => Self::Off,
            Mode::On => Self::On,
            Mode::Paused => Self::Paused,
        }
    }
}
