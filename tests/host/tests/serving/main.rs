//! Drives the built host over HTTP, with the probe components.

mod grants;
mod host;
mod limits;
mod postgres;
mod refusals;
mod routing;
mod sqlite;
mod steering;
mod variables;
