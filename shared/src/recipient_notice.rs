//! Notices to those who received data of a person, that it is to be deleted (clause R5: who deletes an account, or a
//! part of the data, has the recipients told to do the same; so has who withdraws the consent on which they got it).
//!
//! A notice is a row with a sealed text: what the recipient needs to find the data, and nothing else. The person's
//! key is destroyed with the account, so the text lies under a key of the application's. The function `requests`
//! delivers the notices, and deletes each when it is acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use crate::consent;
use crate::crypto::{Key, KeyedHash, Purpose};
use crate::disclosure;
use crate::http::{Context, Problem};
use crate::sql::{Parameter, statements};
use crate::{random, recipient};

/// How many records are read at once.
const PAGE: i64 = 500;

/// How a record of a disclosure says that the recipient got the phone number.
const PHONE_NUMBER: &str = "phone number";

statements! {
    /// What was sent of a person's data, a page at a time.
    SENT = "SELECT id, recipient, purpose, data, reference FROM disclosures \
            WHERE phone_hash = $1 AND id > $2 ORDER BY id LIMIT $3";
    /// The last sending to a recipient for a purpose, on a consent that still stands.
    LAST_SENT = "SELECT d.id, d.phone_hash FROM consents c JOIN accounts a ON a.id = c.account_id \
                 JOIN disclosures d ON d.phone_hash = a.phone_hash \
                 WHERE c.account_id = $1 AND c.purpose = $2 AND d.recipient = $3 AND d.purpose = $4 \
                 ORDER BY d.id DESC LIMIT 1";
    /// A notice that is due now. The same one queued again changes nothing.
    QUEUE = "INSERT INTO recipient_notices (id, recipient, content, tries, due_at, created_at) \
             VALUES ($1, $2, $3, 0, $4, $4) ON CONFLICT (id) DO NOTHING";
}

/// What a recipient is told: which data it is to delete, and by what it finds them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The recipient's name, as in [`crate::recipient`].
    pub recipient: String,
    /// What the data were sent for.
    pub purposes: BTreeSet<String>,
    /// The names of the data, as the disclosures have them.
    pub data: BTreeSet<String>,
    /// By what the recipient knows them, such as orders' numbers.
    pub references: BTreeSet<String>,
    /// The phone number in E.164, if the recipient got it and it can still be read.
    pub phone: Option<String>,
}

/// A notice, as its text is sealed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Notice {
    /// What the recipient is told.
    #[serde(flatten)]
    pub content: Content,
    /// Whose data it is, if the account stays: for us alone.
    pub account_id: Option<Uuid>,
}

/// What of a person is to be deleted.
pub struct Deletion<'a> {
    /// What causes the notices: one notice a recipient comes of one cause, however often it is queued.
    pub cause: Uuid,
    /// By which the person's disclosures are found.
    pub phone_hash: &'a KeyedHash,
    /// The phone number in E.164, where it can be read.
    pub phone: Option<&'a str>,
    /// The account, if it stays.
    pub account_id: Option<Uuid>,
}

/// Queues a notice to each recipient of the person's data; how many. Only disclosures count that `concerns` by
/// recipient and purpose: all of them where an account is deleted, those of a category where only that is.
///
/// # Errors
/// The database failed; what was queued until then stays, and queueing again does the rest.
pub fn queue(
    cx: &Context,
    deletion: &Deletion,
    concerns: impl Fn(&str, &str) -> bool,
) -> Result<usize, Problem> {
    let contents = contents(cx, deletion, concerns)?;
    let key = Key::for_purpose(Purpose::RecipientNotice)?;
    let queued = contents.len();
    for (recipient, content) in contents {
        let id = notice_id(&key, deletion.cause, &recipient);
        let notice = Notice {
            content,
            account_id: deletion.account_id,
        };
        let text = serde_json::to_vec(&notice).expect("notices are plain data");
        cx.sql()?.execute(
            &QUEUE,
            &[
                Parameter::id(id),
                Parameter::text(recipient),
                Parameter::blob(key.seal(&context(id), &text, &mut random::host())),
                Parameter::time(cx.now()),
            ],
        )?;
    }
    Ok(queued)
}

/// Queues a notice to whoever got data on a consent that is about to be withdrawn; nothing where none stands, or
/// nothing was sent. Its cause is the last sending: what was queued for that is not queued again.
///
/// # Errors
/// The database failed, or the variables are unusable.
pub fn of_withdrawal(
    cx: &Context,
    account_id: Uuid,
    purpose: consent::Purpose,
) -> Result<(), Problem> {
    let Some(sent) = disclosure::on_consent(purpose) else {
        return Ok(());
    };
    let last = cx.sql()?.first(
        &LAST_SENT,
        &[
            Parameter::id(account_id),
            Parameter::text(purpose.terms().name),
            Parameter::text(sent.recipient.name),
            Parameter::text(sent.purpose),
        ],
    )?;
    let Some(last) = last else { return Ok(()) };
    let phone_hash: Vec<u8> = last.get("phone_hash")?;
    let deletion = Deletion {
        cause: last.get("id")?,
        phone_hash: &phone_hash.try_into().map_err(|_| Problem::internal())?,
        phone: None,
        account_id: Some(account_id),
    };
    queue(cx, &deletion, |recipient, purpose| {
        recipient == sent.recipient.name && purpose == sent.purpose
    })?;
    Ok(())
}

/// The notice `id`, from its column `content`; `None` if it does not open under the application's key, or is no
/// notice's text.
///
/// # Errors
/// The variables are unusable.
pub fn open(id: Uuid, sealed: &[u8]) -> Result<Option<Notice>, Problem> {
    let key = Key::for_purpose(Purpose::RecipientNotice)?;
    let text = key.open(&context(id), sealed).ok();
    Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
}

fn contents(
    cx: &Context,
    deletion: &Deletion,
    concerns: impl Fn(&str, &str) -> bool,
) -> Result<BTreeMap<String, Content>, Problem> {
    let mut contents = BTreeMap::<String, Content>::new();
    let mut after = String::new();
    loop {
        let rows = cx.sql()?.query(
            &SENT,
            &[
                Parameter::blob(deletion.phone_hash),
                Parameter::text(after),
                Parameter::Integer(PAGE),
            ],
        )?;
        for row in &rows {
            let recipient: String = row.get("recipient")?;
            let purpose: String = row.get("purpose")?;
            // Where we delete ourselves there is nobody to tell.
            if recipient != recipient::ALIYUN_OSS.name && concerns(&recipient, &purpose) {
                let content = contents.entry(recipient.clone()).or_default();
                content.recipient = recipient;
                content.add(
                    purpose,
                    row.get("data")?,
                    row.get("reference")?,
                    deletion.phone,
                );
            }
        }
        match rows.last() {
            Some(last) => after = last.get("id")?,
            None => return Ok(contents),
        }
    }
}

impl Content {
    fn add(
        &mut self,
        purpose: String,
        data: String,
        reference: Option<String>,
        phone: Option<&str>,
    ) {
        for name in data.split(',') {
            if name == PHONE_NUMBER {
                self.phone = phone.map(str::to_owned);
            }
            self.data.insert(name.to_owned());
        }
        self.purposes.insert(purpose);
        self.references.extend(reference);
    }
}

/// One for a cause and a recipient; it leads to neither.
fn notice_id(key: &Key, cause: Uuid, recipient: &str) -> Uuid {
    let hash = key.hash(&[cause.as_bytes(), recipient.as_bytes()]);
    let (bytes, _) = hash.split_first_chunk().expect("a hash is longer");
    Builder::from_custom_bytes(*bytes).into_uuid()
}

fn context(id: Uuid) -> String {
    format!("recipient_notices.content:{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_learns_the_number_only_if_it_got_it() {
        let mut content = Content::default();
        content.add(
            "payment".into(),
            "order number,amount".into(),
            Some("7".into()),
            Some("+86138"),
        );
        assert_eq!(content.phone, None);
        content.add(
            "sms".into(),
            "phone number,one-time code".into(),
            None,
            Some("+86138"),
        );
        assert_eq!(content.phone.as_deref(), Some("+86138"));
        let texts = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
        assert_eq!(texts(&content.purposes), ["payment", "sms"]);
        assert_eq!(
            texts(&content.data),
            ["amount", "one-time code", "order number", "phone number"]
        );
        assert_eq!(texts(&content.references), ["7"]);
    }

    #[test]
    fn a_cause_makes_one_notice_a_recipient() {
        let key = Key::generate(&mut random::host());
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(notice_id(&key, one, "apple"), notice_id(&key, one, "apple"));
        assert_ne!(
            notice_id(&key, one, "apple"),
            notice_id(&key, one, "alipay")
        );
        assert_ne!(
            notice_id(&key, one, "apple"),
            notice_id(&key, other, "apple")
        );
    }
}
