//! The API tests, a file for each route or promise.

mod aliyun;
mod consents;
mod contact;
mod current_session;
mod data_map;
mod faults;
mod guards;
mod idempotency;
mod key_value_down;
mod limits;
mod openapi;
mod operators;
mod password;
mod person_keys;
mod plans;
mod policy;
mod privacy;
mod profile;
mod profiles;
mod requests;
mod sessions;
mod sessions_list;
mod sms_codes;
