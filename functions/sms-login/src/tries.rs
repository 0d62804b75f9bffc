//! How often passwords can be tried, and reset.

use shared::crypto::KeyedHash;
use shared::http::{Context, Problem};
use shared::rate_limit::{self, Limit, Taken};
use shared::variables;

use crate::client_address::ClientAddress;

/// Counts a try for the number and for the address. The number's is given back where the try was right.
///
/// # Errors
/// 429 `rate-limited`; or the database failed.
pub fn take(
    cx: &Context,
    phone_hash: &KeyedHash,
    address: &ClientAddress,
) -> Result<Taken, Problem> {
    let allowed = |variable| variables::parsed::<i64>(variable);
    rate_limit::take(
        cx,
        [
            Limit::per_hour(
                "password",
                phone_hash,
                allowed("password_tries_per_number_hour")?,
            ),
            Limit::per_hour(
                "password-address",
                address.0.as_bytes(),
                allowed("password_tries_per_address_hour")?,
            )
            .kept(),
        ],
    )
}
