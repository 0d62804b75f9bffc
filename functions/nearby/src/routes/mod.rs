//! One file a path.

pub mod city;
pub mod location;
pub mod people;
mod query;
