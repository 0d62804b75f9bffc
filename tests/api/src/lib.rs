//! The harness of the API tests: starts the application on a host, with a database of its own, and asks
//! it over HTTP as a client would.
//!
//! - [`App`] is one running application; [`on_both_engines!`] gives a test one on SQLite and one on
//!   PostgreSQL.
//! - Every [`Answer`] that comes through it is held against the OpenAPI document and the promises that
//!   hold for all answers.
//! - The environment chooses the host: with `SPIN=/path/to/spin` it is the official Spin, else the
//!   stand-in host. What needs the stand-in's clock or faults is skipped by name on Spin.
//! - `TEST_POSTGRES_URL` names a superuser's database on the server that the tests may use.

mod answer;
mod app;
mod clock;
mod contract;
mod database;
mod engines;
mod faults;
mod host;
mod key_value;
mod log;
mod manifest;
mod operators;
mod people;
mod places;
mod request;
mod sealing;
mod uploads;

pub use answer::Answer;
pub use app::{App, Builder, Twin, run_script};
pub use clock::{Clock, DAY, HOUR, MINUTE, SECOND};
pub use database::{Backup, Cell, Database, Engine};
pub use faults::{Call, Faults};
pub use log::Log;
pub use operators::{ACCOUNTANT, ADMIN, Operator, REVIEWER, SCHEDULER};
pub use people::{Device, POLICY_VERSION, Person, REAL_NAME, mobile_number};
pub use request::Request;
pub use uploads::UploadForm;
