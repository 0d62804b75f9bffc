//! The service is for adults (clause M1).

use http::StatusCode;
use jiff::civil::Date;

use crate::http::Problem;

/// From this age on a person may use the service (Civil Code, article 17).
const ADULT: i16 = 18;

/// Whether who was born then is an adult `today`, which begins on the birthday itself.
pub fn is_adult(born: Date, today: Date) -> bool {
    let comes_of_age = (born.year() + ADULT, born.month(), born.day());
    comes_of_age <= (today.year(), today.month(), today.day())
}

/// 422 for who is none.
pub fn required() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "adults-only",
        "创人脉仅面向年满十八周岁的成年人",
    )
}
