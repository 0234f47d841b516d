//! What holds for every conversation, and for every sequence of bytes.

mod conversation;
mod executor;
mod hostile;
mod wire;
