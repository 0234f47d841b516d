//! The stores keep what they promise.

mod crash;
mod memory;
mod opening;
mod sqlite;
