//! The game as its players meet it: the real program with all its processes, played by websocket
//! clients and in a real browser.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bots;
mod browser;

mod game;
mod player;
mod playing;
mod refusing;
