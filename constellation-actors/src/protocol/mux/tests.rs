//! The rules of the mux, one claim a test.

mod credit;
mod life;
mod limits;
mod order;
mod reset;
mod tunnels;
mod violations;
mod waking;
mod withdrawal;
