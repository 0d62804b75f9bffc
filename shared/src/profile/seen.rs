//! Who is seen by whom, wherever people are answered to others.

/// The SQL condition that the account `$asker` may be shown the account `$subject`, both columns such as `"r.subject"`:
/// it sees the profile, or has blocked it itself. So those who have blocked the asker, are about to be deleted, or never
/// existed look alike.
#[macro_export]
macro_rules! known_to {
    ($subject:literal, $asker:literal) => {
        concat!(
            "(EXISTS (SELECT 1 FROM profiles p WHERE p.account_id = ",
            $subject,
            " AND ",
            $crate::seen_by!($asker),
            ") OR EXISTS (SELECT 1 FROM blocks k WHERE k.account_id = ",
            $asker,
            " AND k.blocked_id = ",
            $subject,
            "))"
        )
    };
}

/// The SQL condition that the profile `p` may be seen by the account `$asker`, a parameter's text such as
/// `"$1"`: it has the required five (clause L2), its account is not about to be deleted (clause R5), and neither has blocked
/// the other (clause E3).
#[macro_export]
macro_rules! seen_by {
    ($asker:literal) => {
        concat!(
            "p.avatar IS NOT NULL AND p.gender IS NOT NULL AND p.real_name IS NOT NULL \
             AND p.company IS NOT NULL AND p.job_title IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM accounts x WHERE x.id = p.account_id AND x.closes_at IS NOT NULL) \
             AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = ",
            $asker,
            " AND b.blocked_id = p.account_id) \
             AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = p.account_id AND b.blocked_id = ",
            $asker,
            ")"
        )
    };
}
