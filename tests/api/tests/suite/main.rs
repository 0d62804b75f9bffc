//! The API tests, a file for each route or promise.

mod contact;
mod current_session;
mod idempotency;
mod limits;
mod password;
mod policy;
mod requests;
mod sessions;
mod sessions_list;
mod sms_codes;
