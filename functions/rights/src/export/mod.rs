//! Copies of a person's data (clause R6): one export is under way at a time; it is built in steps, its link is mailed,
//! and it is downloaded once.
//!
//! - [`step`]: what comes next, as a text;
//! - [`rows`]: exports in the database;
//! - [`turn`]: which one has its turn, and when again;
//! - [`building`]: the steps, each of which stores one part, sealed under the person's key;
//! - [`archive`]: the parts as one zip, made while it is downloaded; [`guide`]: the two files that explain it;
//!   [`missing`]: what it lacks.

mod archive;
mod building;
mod guide;
mod missing;
mod rows;
mod step;
mod turn;

pub use archive::{Archive, STATEMENTS as ARCHIVE_STATEMENTS, look};
pub use building::{STATEMENTS as BUILDING_STATEMENTS, work};
pub use rows::{Export, STATEMENTS as ROWS_STATEMENTS, find, list, readdress, start};
pub use turn::STATEMENTS as TURN_STATEMENTS;
