//! Explains executions of AWS Step Functions: what each did, which state failed, with which input, and why.
//!
//! The data's way: [`sources`] reads bytes or the API into [`model`]; [`rebuild`] turns a history into a path;
//! [`analysis`] answers a question about it with a plain value; [`render`] writes that value as text or JSON; `cli` joins the stages.

pub mod analysis;
pub mod asl;
pub mod cli;
pub mod expr;
pub mod interpreter;
pub mod model;
pub mod pull;
pub mod rebuild;
pub mod render;
pub mod simulation;
pub mod sources;
pub mod store;
