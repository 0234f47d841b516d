//! Placeholder.
#![allow(dead_code)]
mod database; mod folder; mod name; mod query; mod problem; mod keeper;
fn main() {}
